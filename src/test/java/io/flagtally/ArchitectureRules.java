package io.flagtally;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.flagtally.pipeline.BatchSink;
import io.flagtally.pipeline.BatchSinkContract;
import io.smallrye.config.ConfigMapping;
import java.time.Clock;
import java.time.InstantSource;
import java.util.Calendar;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The house's import table and prohibitions, as rules. A feature is a package right under {@code io.flagtally}. */
final class ArchitectureRules {

    static final String ROOT = "io.flagtally";

    /**
     * Who may import whom. The adapters below {@code store} and {@code broker} have a rule of their own; {@code broker}
     * here is what connectors have in common.
     */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.ofEntries(
            Map.entry("event", Set.of()),
            Map.entry("rollup", Set.of("event")),
            Map.entry("codec", Set.of("event", "platform")),
            Map.entry("pipeline", Set.of("event", "codec", "rollup", "platform")),
            Map.entry("ingest", Set.of("event", "codec", "platform")),
            Map.entry("series", Set.of("event", "rollup", "platform")),
            Map.entry("experiment", Set.of("event", "series", "platform")),
            Map.entry("archive", Set.of("event", "rollup", "pipeline", "platform")),
            Map.entry("broker", Set.of("event", "codec", "pipeline", "platform")),
            Map.entry("proof", Set.of("platform")),
            Map.entry("demo", Set.of("platform")),
            Map.entry("platform", Set.of()));

    private static final Set<String> ADAPTERS = Set.of("store", "broker");

    private static final String[] BROKER_CLIENTS = {
        "org.apache.kafka..",
        "io.vertx.kafka..",
        "com.rabbitmq..",
        "io.vertx.rabbitmq..",
        "io.vertx.mutiny.rabbitmq..",
        "io.vertx.amqp..",
        "io.vertx.mutiny.amqp..",
        "io.vertx.proton..",
        "org.apache.qpid..",
        "org.apache.pulsar..",
        "io.nats..",
        "com.azure.messaging..",
        "software.amazon.awssdk.services.sqs..",
        "software.amazon.awssdk.services.sns..",
        "com.google.pubsub..",
        "com.google.cloud.pubsub..",
        "org.eclipse.microprofile.reactive.messaging.spi..",
        "io.smallrye.reactive.messaging.connector..",
        "io.smallrye.reactive.messaging.memory..",
        "io.smallrye.reactive.messaging.kafka..",
        "io.smallrye.reactive.messaging.rabbitmq..",
        "io.smallrye.reactive.messaging.amqp..",
        "io.smallrye.reactive.messaging.mqtt..",
        "io.smallrye.reactive.messaging.pulsar..",
        "io.smallrye.reactive.messaging.aws..",
        "io.smallrye.reactive.messaging.gcp.."
    };

    private static final String[] REDIS_CLIENTS = {"io.vertx.redis..", "io.vertx.mutiny.redis..", "io.quarkus.redis.."};

    private static final String[] PG_CLIENTS = {
        "io.vertx.pgclient..",
        "io.vertx.mutiny.pgclient..",
        "io.vertx.sqlclient..",
        "io.vertx.mutiny.sqlclient..",
        "jakarta.persistence..",
        "org.hibernate..",
        "io.quarkus.hibernate.."
    };

    static final ArchRule TABLE = classes().should(keepToTheTable()).because("design: packages and their imports");

    static final ArchRule JDK_ONLY = classes()
            .that()
            .resideInAnyPackage(ROOT + ".event..", ROOT + ".rollup..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify.annotations..", ROOT + "..");

    static final ArchRule NO_CYCLES = slices().matching(ROOT + ".(**)").should().beFreeOfCycles();

    static final ArchRule NO_BROKER_CLIENTS = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".broker..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(BROKER_CLIENTS);

    static final ArchRule REDIS_IN_ITS_STORE = noClasses()
            .that()
            .resideOutsideOfPackages(
                    ROOT + ".store.redis..", ROOT + ".platform.redis..", ROOT + ".broker.redisstreams..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(REDIS_CLIENTS);

    static final ArchRule POSTGRES_IN_ITS_STORE = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".store.postgres..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(PG_CLIENTS);

    static final ArchRule CLOCK = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".platform..")
            .should()
            .accessTargetWhere(readsTheSystemClock())
            .because("time is injected as InstantSource, so that tests can step it");

    static final ArchRule NO_CONFIG_PROPERTY =
            noClasses().should().dependOnClassesThat().belongToAnyOf(ConfigProperty.class);

    static final ArchRule CONFIG_MAPPINGS = classes()
            .that()
            .areAnnotatedWith(ConfigMapping.class)
            .should(haveTheHousePrefix())
            .allowEmptyShould(true);

    static final ArchRule NAMES = noClasses()
            .should()
            .haveNameMatching(".*(Util|Utils|Helper|Helpers|Manager|Impl)(\\$.*)?")
            .because("a class is named by what it is");

    static final ArchRule SINKS_KEEP_THE_CONTRACT = classes()
            .that()
            .areAssignableTo(BatchSink.class)
            .and()
            .areNotInterfaces()
            .and()
            .doNotHaveModifier(JavaModifier.ABSTRACT)
            .should(haveATestOfTheirContract());

    static final Map<String, ArchRule> ALL = Map.ofEntries(
            Map.entry("table", TABLE),
            Map.entry("jdk-only", JDK_ONLY),
            Map.entry("cycles", NO_CYCLES),
            Map.entry("broker-clients", NO_BROKER_CLIENTS),
            Map.entry("redis", REDIS_IN_ITS_STORE),
            Map.entry("postgres", POSTGRES_IN_ITS_STORE),
            Map.entry("clock", CLOCK),
            Map.entry("config-property", NO_CONFIG_PROPERTY),
            Map.entry("config-mapping", CONFIG_MAPPINGS),
            Map.entry("names", NAMES),
            Map.entry("sink-contract", SINKS_KEEP_THE_CONTRACT));

    private ArchitectureRules() {}

    private static ArchCondition<JavaClass> keepToTheTable() {
        return new ArchCondition<>("import only what the table allows") {
            @Override
            public void check(JavaClass origin, ConditionEvents events) {
                if (!isKnown(origin)) {
                    violated(events, origin, origin.getName() + " is in a package that is not in the table");
                    return;
                }
                origin.getDirectDependenciesFromSelf().stream()
                        .filter(dependency -> isOurs(dependency.getTargetClass()))
                        .filter(dependency -> !mayImport(origin, dependency.getTargetClass()))
                        .map(Dependency::getDescription)
                        .forEach(description -> violated(events, origin, description));
            }
        };
    }

    private static ArchCondition<JavaClass> haveATestOfTheirContract() {
        return new ArchCondition<>("have a test of their name that extends BatchSinkContract") {
            @Override
            public void check(JavaClass sink, ConditionEvents events) {
                if (!extendsTheContract(sink.getName() + "Test")) {
                    violated(
                            events,
                            sink,
                            sink.getName() + " is a sink, and there is no " + sink.getSimpleName()
                                    + "Test beside it that extends BatchSinkContract");
                }
            }
        };
    }

    private static boolean extendsTheContract(String test) {
        try {
            return BatchSinkContract.class.isAssignableFrom(
                    Class.forName(test, false, ArchitectureRules.class.getClassLoader()));
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    private static void violated(ConditionEvents events, JavaClass origin, String message) {
        events.add(SimpleConditionEvent.violated(origin, message));
    }

    private static boolean isOurs(JavaClass type) {
        return type.getPackageName().equals(ROOT) || type.getPackageName().startsWith(ROOT + ".");
    }

    private static boolean isKnown(JavaClass type) {
        String feature = feature(type);
        return MAY_IMPORT.containsKey(feature)
                || ADAPTERS.contains(feature) && !part(type).equals(feature);
    }

    private static boolean mayImport(JavaClass origin, JavaClass target) {
        if (part(origin).equals(part(target))) {
            return true;
        }
        Set<String> allowed = part(origin).equals(feature(origin))
                ? MAY_IMPORT.getOrDefault(feature(origin), Set.of())
                : allowedToAdapter(origin);
        return allowed.contains(part(target));
    }

    /**
     * An adapter may import the owners of the ports it implements, what those ports speak of, and platform; a connector
     * also what connectors have in common.
     */
    private static Set<String> allowedToAdapter(JavaClass origin) {
        Set<String> allowed = new HashSet<>(Set.of("platform"));
        if (MAY_IMPORT.containsKey(feature(origin))) {
            allowed.add(feature(origin));
            allowed.addAll(MAY_IMPORT.getOrDefault(feature(origin), Set.of()));
        }
        classesOfPart(origin)
                .flatMap(type -> type.getAllRawInterfaces().stream())
                .filter(port -> isOurs(port) && MAY_IMPORT.containsKey(feature(port)))
                .map(ArchitectureRules::feature)
                .forEach(owner -> {
                    allowed.add(owner);
                    allowed.addAll(MAY_IMPORT.getOrDefault(owner, Set.of()));
                });
        return allowed;
    }

    private static Stream<JavaClass> classesOfPart(JavaClass origin) {
        var top = origin.getPackage();
        while (top.getParent().isPresent()
                && top.getParent().get().getName().length() > ROOT.length()
                && !ADAPTERS.contains(top.getParent().get().getRelativeName())) {
            top = top.getParent().get();
        }
        return top.getClassesInPackageTree().stream();
    }

    /** The package right under the root: {@code store} for {@code io.flagtally.store.redis.X}. */
    private static String feature(JavaClass type) {
        List<String> path = path(type);
        return path.isEmpty() ? "" : path.get(0);
    }

    /** The feature, and for an adapter its technology too: {@code store.redis}. */
    private static String part(JavaClass type) {
        List<String> path = path(type);
        return ADAPTERS.contains(feature(type)) && path.size() > 1 ? path.get(0) + "." + path.get(1) : feature(type);
    }

    private static List<String> path(JavaClass type) {
        String name = type.getPackageName();
        return name.length() <= ROOT.length()
                ? List.of()
                : List.of(name.substring(ROOT.length() + 1).split("\\.", -1));
    }

    private static DescribedPredicate<JavaAccess<?>> readsTheSystemClock() {
        return DescribedPredicate.describe("reads the system clock", access -> {
            JavaClass owner = access.getTargetOwner();
            String name = access.getTarget().getName();
            if (owner.isEquivalentTo(System.class)) {
                return name.equals("currentTimeMillis");
            }
            if (owner.isEquivalentTo(Date.class)) {
                return access.getTarget().getFullName().endsWith("<init>()");
            }
            if (owner.isAssignableTo(Calendar.class)) {
                return name.equals("getInstance") || name.equals("<init>");
            }
            if (owner.isEquivalentTo(Clock.class) || owner.isEquivalentTo(InstantSource.class)) {
                return name.startsWith("system") || name.matches("tick(Millis|Seconds|Minutes)");
            }
            return owner.getPackageName().startsWith("java.time")
                    && (name.equals("now") || name.equals("dateNow"))
                    && !access.getTarget().getFullName().contains("java.time.Clock");
        });
    }

    private static ArchCondition<JavaClass> haveTheHousePrefix() {
        return new ArchCondition<>("be named …Config and map a prefix of its own under flagtally") {
            @Override
            public void check(JavaClass mapping, ConditionEvents events) {
                String prefix = mapping.getAnnotationOfType(ConfigMapping.class).prefix();
                boolean kept = prefix.matches("flagtally(\\.[a-z-]+)+")
                        && mapping.getSimpleName().endsWith("Config")
                        && mapping.isInterface();
                if (!kept) {
                    violated(events, mapping, mapping.getName() + " maps the prefix '" + prefix + "'");
                }
                boolean alone = mapping.getPackage().getClasses().stream()
                                .filter(type -> type.isAnnotatedWith(ConfigMapping.class))
                                .filter(type -> type.getAnnotationOfType(ConfigMapping.class)
                                        .prefix()
                                        .equals(prefix))
                                .count()
                        == 1;
                if (!alone) {
                    violated(events, mapping, mapping.getName() + " shares the prefix '" + prefix + "'");
                }
            }
        };
    }
}

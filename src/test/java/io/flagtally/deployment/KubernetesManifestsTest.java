package io.flagtally.deployment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.source.yaml.YamlConfigSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The manifests parse, name each other rightly and configure what the service knows. No cluster is asked. */
class KubernetesManifestsTest {

    private static final Path DIRECTORY = Path.of("kubernetes");

    @Test
    void kustomization_namesEveryManifest() throws IOException {
        Set<String> named = new TreeSet<>();
        read("kustomization.yaml").get("resources").forEach(file -> named.add(file.asText()));

        Set<String> present = new TreeSet<>();
        try (Stream<Path> files = Files.list(DIRECTORY)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yaml") && !name.equals("kustomization.yaml"))
                    .forEach(present::add);
        }
        assertEquals(present, named);
    }

    @Test
    void selectors_meetTheLabelsOfThePods() throws IOException {
        JsonNode deployment = read("deployment.yaml").get("spec");
        JsonNode labels = deployment.at("/template/metadata/labels");

        assertEquals(labels, deployment.at("/selector/matchLabels"));
        assertEquals(labels, read("service.yaml").at("/spec/selector"));
        assertEquals(labels, read("poddisruptionbudget.yaml").at("/spec/selector/matchLabels"));
    }

    @Test
    void ports_areTheNamedPortOfTheContainer() throws IOException {
        JsonNode container = container();
        String port = container.at("/ports/0/name").asText();

        assertEquals(8080, container.at("/ports/0/containerPort").asInt());
        assertEquals(port, read("service.yaml").at("/spec/ports/0/targetPort").asText());
        for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            assertEquals(port, container.at("/" + probe + "/httpGet/port").asText());
        }
    }

    @Test
    void ingress_sendsEventsAndNoReads() throws IOException {
        List<String> paths = new ArrayList<>();
        read("ingress.yaml")
                .at("/spec/rules/0/http/paths")
                .forEach(path -> paths.add(path.get("path").asText()));

        assertEquals(List.of("/register_events", "/track"), paths);
    }

    @Test
    void configuration_isReadWhereItIsMounted() throws IOException {
        JsonNode container = container();
        SmallRyeConfig config =
                config(read("configmap.yaml").at("/data/application.yaml").asText());

        assertEquals(
                "file://" + mount(container, "config") + "/application.yaml",
                container.at("/env/0/value").asText());
        assertEquals(mount(container, "keys") + "/keys.yaml", config.getRawValue("flagtally.security.keys-file"));
        assertEquals("260", config.getRawValue("config_ordinal"));
    }

    @Test
    void cronJob_callsAJobOfTheServiceWithAKeyThatMay() throws IOException {
        JsonNode service = read("service.yaml");
        JsonNode secret = read("secret.yaml");
        JsonNode container = read("cronjob.yaml").at("/spec/jobTemplate/spec/template/spec/containers/0");
        List<String> arguments = new ArrayList<>();
        container.get("args").forEach(argument -> arguments.add(argument.asText()));
        String url = arguments.get(arguments.size() - 1);
        String jobs = "http://" + service.at("/metadata/name").asText() + ":"
                + service.at("/spec/ports/0/port").asText() + "/v1/batch/jobs/";

        assertTrue(url.startsWith(jobs), url);
        String known = Files.readString(Path.of("docs", "reference", "http-api.md"));
        assertTrue(known.contains("\n| `" + url.substring(jobs.length()) + "` |"), url);
        assertTrue(arguments.contains("--fail-with-body"), "a refusal is a failure of the job");
        JsonNode key = container.at("/env/0/valueFrom/secretKeyRef");
        assertEquals(secret.at("/metadata/name"), key.get("name"));
        SmallRyeConfig keys = config(secret.at("/stringData/keys.yaml").asText());
        assertEquals(
                secret.get("stringData").get(key.get("key").asText()).asText(),
                keys.getRawValue("flagtally.security.api-keys.jobs.key"));
        assertEquals("ADMIN", keys.getRawValue("flagtally.security.api-keys.jobs.roles[0]"));
    }

    @Test
    void secret_asItStands_letsNobodyIn() throws IOException {
        SmallRyeConfig keys =
                config(read("secret.yaml").at("/stringData/keys.yaml").asText());

        int found = 0;
        for (String name : keys.getPropertyNames()) {
            if (name.startsWith("flagtally.security.api-keys.") && name.endsWith(".key")) {
                found++;
                assertEquals("true", keys.getRawValue(name.replaceFirst("\\.key$", ".disabled")), name);
            }
        }
        assertTrue(found > 0, "no key was found");
    }

    private static JsonNode container() throws IOException {
        return read("deployment.yaml").at("/spec/template/spec/containers/0");
    }

    private static String mount(JsonNode container, String volume) {
        for (JsonNode mount : container.get("volumeMounts")) {
            if (mount.get("name").asText().equals(volume)) {
                return mount.get("mountPath").asText();
            }
        }
        throw new AssertionError("nothing mounts " + volume);
    }

    private static SmallRyeConfig config(String yaml) throws IOException {
        return new SmallRyeConfigBuilder()
                .withSources(new YamlConfigSource("manifest", yaml))
                .build();
    }

    private static JsonNode read(String file) throws IOException {
        Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
        Object document = yaml.load(Files.readString(DIRECTORY.resolve(file)));
        return new ObjectMapper().valueToTree(document);
    }
}

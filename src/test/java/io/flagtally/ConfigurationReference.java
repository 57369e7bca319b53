package io.flagtally;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.ParameterizedTypeTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Renders the reference of configuration keys from the sources of the {@code @ConfigMapping} interfaces. */
final class ConfigurationReference {

    private static final String HEAD = """
            # Configuration

            Generated from the configuration interfaces; a test keeps it equal to them, and
            `./mvnw test -Dtest=HouseRulesTest -Dflagtally.docs.write=true` writes it anew.

            The keys stand in `application.yaml` beside the service. A system property (`-Dflagtally.time.zone=Asia/Tokyo`)
            and an environment variable (`FLAGTALLY_TIME_ZONE=Asia/Tokyo`) beat the file. Durations are written `25ms`,
            `5s`, `10m`, `24h` or ISO-8601 (`PT24H`). Keys of Quarkus itself work as its own documentation says:
            `quarkus.http.port` (8080), `quarkus.http.host` (127.0.0.1 in the embedded default, else every address), `quarkus.log.level`.
            """;

    private final List<String> undocumented = new ArrayList<>();
    private final Map<String, String> sections = new TreeMap<>();

    private record Group(ClassTree tree, TreePath path) {}

    /** Reads every configuration interface under {@code sources}. */
    static ConfigurationReference of(Path sources) throws IOException {
        ConfigurationReference reference = new ConfigurationReference();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(sources)) {
            files = walk.filter(file -> file.toString().endsWith("Config.java")).toList();
        }
        if (!files.isEmpty()) {
            reference.parse(files);
        }
        return reference;
    }

    /** The keys and interfaces that say nothing about themselves. */
    List<String> undocumented() {
        return undocumented;
    }

    String markdown() {
        return HEAD + String.join("", sections.values());
    }

    private void parse(List<Path> files) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
            DocTrees docs = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                for (Tree type : unit.getTypeDecls()) {
                    if (type instanceof ClassTree mapping) {
                        section(docs, new Group(mapping, TreePath.getPath(unit, mapping)));
                    }
                }
            }
        }
    }

    private void section(DocTrees docs, Group mapping) {
        Optional<String> prefix = annotation(mapping.tree().getModifiers(), "ConfigMapping");
        if (prefix.isEmpty()) {
            return;
        }
        List<String> rows = new ArrayList<>();
        rows(docs, mapping, prefix.get(), rows);
        String section = "\n## " + prefix.get() + "\n\n" + sentence(docs, mapping.path(), prefix.get())
                + "\n\n| key | type | default | meaning |\n|---|---|---|---|\n" + String.join("", rows);
        sections.merge(prefix.get(), section, String::concat);
    }

    private void rows(DocTrees docs, Group group, String prefix, List<String> rows) {
        for (Tree member : group.tree().getMembers()) {
            if (!(member instanceof MethodTree method) || method.getReturnType() == null || method.getBody() != null) {
                continue;
            }
            TreePath path = new TreePath(group.path(), method);
            String key = key(prefix, method);
            Tree type = method.getReturnType();
            if (type instanceof ParameterizedTypeTree generic
                    && nested(group, valueOf(generic)).isPresent()) {
                String placeholder =
                        name(generic).equals("Map") ? ".<name>" : name(generic).equals("List") ? "[n]" : "";
                rows(docs, nested(group, valueOf(generic)).get(), key + placeholder, rows);
            } else if (nested(group, type).isPresent()) {
                rows(docs, nested(group, type).get(), key, rows);
            } else {
                String placeholder = name(type).equals("Map") ? ".<name>" : "";
                rows.add(row(key + placeholder, type, method, sentence(docs, path, key)));
            }
        }
    }

    private static String row(String key, Tree type, MethodTree method, String meaning) {
        Tree element = name(type).equals("Optional") ? valueOf((ParameterizedTypeTree) type) : type;
        boolean list = List.of("List", "Set").contains(name(element));
        String value = element instanceof ParameterizedTypeTree generic ? simple(valueOf(generic)) : simple(element);
        String standard = annotation(method.getModifiers(), "WithDefault")
                .map(text -> text.isEmpty() ? "empty" : "`" + text + "`")
                .orElse(name(type).startsWith("Optional") || name(type).equals("Map") ? "—" : "required");
        return "| `" + key + "` | " + (list ? "list of " : "")
                + value.replace("Optional", "").toLowerCase(Locale.ROOT) + " | " + standard + " | " + meaning + " |\n";
    }

    private static String key(String prefix, MethodTree method) {
        if (annotation(method.getModifiers(), "WithParentName").isPresent()) {
            return prefix;
        }
        return prefix + "."
                + annotation(method.getModifiers(), "WithName")
                        .orElse(kebab(method.getName().toString()));
    }

    private static String kebab(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
    }

    private static Optional<Group> nested(Group group, Tree type) {
        for (TreePath scope = group.path(); scope != null; scope = scope.getParentPath()) {
            if (scope.getLeaf() instanceof ClassTree owner) {
                for (Tree member : owner.getMembers()) {
                    if (member instanceof ClassTree inner
                            && inner.getKind() == Tree.Kind.INTERFACE
                            && inner.getSimpleName().contentEquals(simple(type))) {
                        return Optional.of(new Group(inner, new TreePath(scope, inner)));
                    }
                }
            }
        }
        return Optional.empty();
    }

    private String sentence(DocTrees docs, TreePath path, String what) {
        String comment = docs.getDocComment(path);
        if (comment == null || comment.isBlank()) {
            undocumented.add(what + " has no doc line");
            return "";
        }
        return comment.strip()
                .replaceAll("(?s)\\n\\s*@\\w.*", "")
                .replaceAll("\\{@(?:code|link) ([^}]*)\\}", "`$1`")
                .replaceAll("</?[a-z]+>", "")
                .replaceAll("\\s+", " ")
                .replace("|", "\\|")
                .strip();
    }

    /** The text of the first argument that is a string, or empty text if the annotation has none. */
    private static Optional<String> annotation(ModifiersTree modifiers, String name) {
        return modifiers.getAnnotations().stream()
                .filter(annotation -> simple(annotation.getAnnotationType()).equals(name))
                .map(ConfigurationReference::argument)
                .findFirst();
    }

    private static String argument(AnnotationTree annotation) {
        for (ExpressionTree argument : annotation.getArguments()) {
            ExpressionTree value = argument instanceof AssignmentTree assigned ? assigned.getExpression() : argument;
            if (value instanceof LiteralTree literal && literal.getValue() instanceof String text) {
                return text;
            }
        }
        return "";
    }

    private static String name(Tree type) {
        return type instanceof ParameterizedTypeTree generic ? simple(generic.getType()) : simple(type);
    }

    private static Tree valueOf(ParameterizedTypeTree generic) {
        return generic.getTypeArguments().get(generic.getTypeArguments().size() - 1);
    }

    private static String simple(Tree type) {
        String text = type.toString();
        return text.substring(text.lastIndexOf('.') + 1);
    }
}

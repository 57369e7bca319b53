package io.flagtally;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** Compiles small sources, so that a rule can be shown classes that break it. */
final class PlantedClasses {

    private static final Pattern PACKAGE = Pattern.compile("package ([\\w.]+);");
    private static final Pattern TYPE = Pattern.compile("(?:class|interface|record) (\\w+)");

    private PlantedClasses() {}

    /**
     * Returns the classes of {@code sources}, each a whole compilation unit, without those of the house.
     *
     * @throws IllegalArgumentException if a source does not compile
     */
    static JavaClasses compile(List<String> sources) {
        try {
            Path directory = Files.createTempDirectory(Files.createDirectories(Path.of("target", "planted")), "p");
            StringWriter messages = new StringWriter();
            List<String> options = List.of(
                    "-proc:none", "-d", directory.toString(), "-classpath", System.getProperty("java.class.path"));
            boolean compiled = ToolProvider.getSystemJavaCompiler()
                    .getTask(messages, null, null, options, null, units(sources))
                    .call();
            if (!compiled) {
                throw new IllegalArgumentException("a planted source does not compile: " + messages);
            }
            return new ClassFileImporter().importPath(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<JavaFileObject> units(List<String> sources) {
        List<JavaFileObject> units = new ArrayList<>();
        for (String source : sources) {
            String path = first(PACKAGE, source).replace('.', '/') + "/" + first(TYPE, source) + ".java";
            units.add(new Source(URI.create("planted:///" + path), source));
        }
        return units;
    }

    private static String first(Pattern pattern, String source) {
        Matcher matcher = pattern.matcher(source);
        if (!matcher.find()) {
            throw new IllegalArgumentException("no match of " + pattern + " in " + source);
        }
        return matcher.group(1);
    }

    private static final class Source extends SimpleJavaFileObject {

        private final String content;

        Source(URI uri, String content) {
            super(uri, Kind.SOURCE);
            this.content = content;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return content;
        }
    }
}

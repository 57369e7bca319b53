package io.flagtally.testing;

import io.quarkus.bootstrap.resolver.maven.BootstrapMavenContext;
import io.quarkus.bootstrap.resolver.maven.BootstrapMavenException;
import io.quarkus.bootstrap.resolver.maven.MavenArtifactResolver;
import java.io.File;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.resolution.DependencyRequest;
import org.eclipse.aether.resolution.DependencyResolutionException;
import org.eclipse.aether.util.graph.visitor.PreorderNodeListGenerator;

/**
 * The jars of a server for tests, from Maven Central through the local repository, with the versions that the server
 * itself asks for: nothing of them is on the class path of the service or of the tests. Fetched when a test first wants
 * the server; settings, mirrors and {@code -o} are those of the Maven that runs the tests.
 */
public final class ServerJars {

    private ServerJars() {}

    /**
     * The class path of a server that is started as a child process.
     *
     * @param coordinates {@code group:artifact:version} of the server and of what it is to be extended by
     */
    public static String classPath(String... coordinates) {
        try {
            MavenArtifactResolver maven = new MavenArtifactResolver(new BootstrapMavenContext(
                    BootstrapMavenContext.config().setWorkspaceDiscovery(false).setArtifactTransferLogging(false)));
            List<Dependency> wanted = Stream.of(coordinates)
                    .map(each -> new Dependency(new DefaultArtifact(each), "runtime"))
                    .toList();
            DependencyRequest request = new DependencyRequest(
                    MavenArtifactResolver.newCollectRequest(
                            new DefaultArtifact("io.flagtally:server-for-tests:pom:1"),
                            wanted,
                            List.of(),
                            List.of(),
                            maven.getRepositories()),
                    null);
            PreorderNodeListGenerator jars = new PreorderNodeListGenerator();
            maven.getSystem()
                    .resolveDependencies(maven.getSession(), request)
                    .getRoot()
                    .accept(jars);
            return jars.getFiles().stream().map(File::getPath).collect(Collectors.joining(File.pathSeparator));
        } catch (BootstrapMavenException | DependencyResolutionException e) {
            throw new IllegalStateException("cannot fetch the server " + String.join(", ", coordinates), e);
        }
    }
}

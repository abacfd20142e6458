package dev.sluice.rollout.reward;

import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** What jars of the service's configuration provide: rewards and environments of one's own. */
public final class OwnJars {
    private OwnJars() {}

    /**
     * Every implementation of a service that they name in {@code META-INF/services}.
     *
     * @throws IllegalArgumentException if a jar cannot be read, or what it names cannot be made
     */
    public static <T> List<T> provided(Class<T> service, List<Path> jars) {
        URL[] urls = jars.stream().map(OwnJars::url).toArray(URL[]::new);
        // Never closed: what it loads lives as long as the service.
        ClassLoader loader = new URLClassLoader("own", urls, service.getClassLoader());
        try {
            List<T> found = new ArrayList<>();
            ServiceLoader.load(service, loader).forEach(found::add);
            return found;
        } catch (ServiceConfigurationError e) {
            throw new IllegalArgumentException("sluice.rollout.reward-jars %s: %s".formatted(jars, e.getMessage()), e);
        }
    }

    private static URL url(Path jar) {
        if (!Files.isReadable(jar)) {
            throw new IllegalArgumentException(
                    "sluice.rollout.reward-jars names %s, which cannot be read; mend the path".formatted(jar));
        }
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException("sluice.rollout.reward-jars names %s".formatted(jar), e);
        }
    }
}

package dev.sluice.rollout.reward;

import dev.sluice.domain.reward.RewardFunction;
import dev.sluice.domain.reward.RewardType;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The {@link RewardFunction}s that this instance was given, by name. */
public final class OwnRewards {
    private final Map<String, RewardFunction> functions = new TreeMap<>();

    /** @throws IllegalArgumentException if a name is used twice or is none */
    public OwnRewards(Collection<RewardFunction> given) {
        for (RewardFunction function : given) {
            String name = function.name();
            if (!(RewardType.of(RewardType.OWN_PREFIX + name) instanceof RewardType.Own)) {
                throw new IllegalArgumentException(
                        "%s calls its reward '%s'; use 1 to 64 letters, digits, dots, underscores and hyphens"
                                .formatted(function.getClass().getName(), name));
            }
            RewardFunction other = functions.put(name, function);
            if (other != null) {
                throw new IllegalArgumentException("%s and %s both call their reward %s; rename one"
                        .formatted(
                                other.getClass().getName(), function.getClass().getName(), name));
            }
        }
    }

    /**
     * What jars of the service's configuration provide.
     *
     * @throws IllegalArgumentException if one cannot be read, or its rewards cannot be made
     */
    public static OwnRewards load(List<Path> jars) {
        URL[] urls = jars.stream().map(OwnRewards::url).toArray(URL[]::new);
        // Never closed: the rewards live as long as the service.
        ClassLoader loader = new URLClassLoader("rewards", urls, RewardFunction.class.getClassLoader());
        try {
            List<RewardFunction> found = new ArrayList<>();
            ServiceLoader.load(RewardFunction.class, loader).forEach(found::add);
            return new OwnRewards(found);
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

    Optional<RewardFunction> named(String name) {
        return Optional.ofNullable(functions.get(name));
    }

    Collection<String> names() {
        return functions.keySet();
    }
}

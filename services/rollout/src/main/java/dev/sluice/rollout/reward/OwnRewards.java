package dev.sluice.rollout.reward;

import dev.sluice.domain.reward.RewardFunction;
import dev.sluice.domain.reward.RewardType;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
        return new OwnRewards(OwnJars.provided(RewardFunction.class, jars));
    }

    Optional<RewardFunction> named(String name) {
        return Optional.ofNullable(functions.get(name));
    }

    Collection<String> names() {
        return functions.keySet();
    }
}

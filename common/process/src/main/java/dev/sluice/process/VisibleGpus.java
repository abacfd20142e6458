package dev.sluice.process;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which GPUs a child sees: some of those that this process was given. */
public final class VisibleGpus {
    /** The variable by which CUDA chooses and orders GPUs. */
    public static final String ENVIRONMENT_NAME = "CUDA_VISIBLE_DEVICES";

    private VisibleGpus() {}

    /** What this process was given: numbers or beginnings of UUIDs; nothing where it sees all GPUs of the host. */
    public static Optional<List<String>> names() {
        return names(System.getenv(ENVIRONMENT_NAME));
    }

    private static Optional<List<String>> names(@Nullable String own) {
        return own == null || own.isBlank()
                ? Optional.empty()
                : Optional.of(List.of(own.strip().split("\\s*,\\s*")));
    }

    /** The variable's value for a child that gets these of this process's GPUs, counted from 0. */
    public static String of(List<Integer> indexes) {
        return of(indexes, System.getenv(ENVIRONMENT_NAME));
    }

    /**
     * The variable's value.
     *
     * @param own its value in this process; absent: it sees all GPUs of the host
     * @throws IllegalArgumentException if this process sees fewer
     */
    static String of(List<Integer> indexes, @Nullable String own) {
        Optional<List<String>> given = names(own);
        if (given.isEmpty()) {
            return indexes.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        List<String> seen = given.get();
        return indexes.stream()
                .map(index -> {
                    if (index >= seen.size()) {
                        throw new IllegalArgumentException(
                                "GPU %d is to be used, but %s=%s shows %d; correct the number of GPUs in the service's configuration"
                                        .formatted(index, ENVIRONMENT_NAME, own, seen.size()));
                    }
                    return seen.get(index);
                })
                .collect(Collectors.joining(","));
    }
}

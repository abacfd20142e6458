package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Flags of {@code sglang.launch_server} by version, 0.4.9 to 0.5.23; a newer version is taken as 0.5.23.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/server_args.py">server_args.py</a>
 */
public final class SglangFlags {
    static final FlagTable TABLE = FlagTable.read("sglang-flags.tsv");

    private SglangFlags() {}

    /** Every flag that the version takes, with dashes. */
    public static Set<String> known(Version version) {
        return TABLE.known(version);
    }

    /** Every flag that a request may set of its own, of all versions, with dashes: none of them opens files, ports or code. */
    public static Set<String> free() {
        return TABLE.entries().stream()
                .filter(entry -> entry.use() instanceof FlagUse.Free)
                .map(entry -> "--" + entry.name())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Those of the flags that the version takes under no name: it would end with exit code 2. */
    public static List<String> unknown(Flags flags, Version version) {
        return flags.values().keySet().stream()
                .filter(flag -> !TABLE.has(flag, version))
                .toList();
    }

    /** The name that the version has for a flag, such as {@code --cuda-graph-max-bs-decode} from 0.5.14 on. */
    public static String spelled(String flag, Version version) {
        return TABLE.spelled(flag, version);
    }
}

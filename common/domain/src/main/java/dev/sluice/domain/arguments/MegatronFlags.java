package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import java.util.List;
import java.util.Set;

/**
 * Flags of Megatron's argument parser by version of Megatron-Core, 0.16 to 0.19; a newer version is taken as 0.19.2.
 * Megatron-Core 0.16 was released without the parser: it is taken to have 0.17's flags but those whose field its
 * configuration lacks.
 *
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/megatron/training/arguments.py">arguments.py</a>
 */
public final class MegatronFlags {
    static final FlagTable TABLE = FlagTable.read("megatron-flags.tsv");

    private MegatronFlags() {}

    /** Every flag that the version takes, with dashes. */
    public static Set<String> known(Version version) {
        return TABLE.known(version);
    }

    /** Those of the flags that the version does not take. */
    public static List<String> unknown(Flags flags, Version version) {
        return flags.values().keySet().stream()
                .filter(flag -> !TABLE.has(flag, version))
                .toList();
    }
}

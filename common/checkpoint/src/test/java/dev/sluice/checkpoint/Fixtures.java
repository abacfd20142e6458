package dev.sluice.checkpoint;

import java.nio.file.Path;

/** Files that the upstream libraries wrote; src/test/fixtures/README.md says how. */
final class Fixtures {
    private static final Path ROOT =
            Path.of(System.getProperty("sluice.root", "../.."), "common/checkpoint/src/test/fixtures");

    static final Path HUGGING_FACE = ROOT.resolve("hf_tiny");
    static final Path TORCH_DIST_016 = ROOT.resolve("torch_dist_mcore016slime_te_names");
    static final Path TORCH_DIST_020 = ROOT.resolve("torch_dist_mcore020_local");
    static final Path KEY_TABLE = ROOT.resolve("glm47flash_keys.tsv");

    /** One directory a family: {@code hf}, and {@code torch_dist} with the same weights. */
    static final Path FAMILIES = ROOT.resolve("families");

    private Fixtures() {}

    static Path file(String name) {
        return ROOT.resolve(name);
    }
}

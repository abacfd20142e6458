package dev.sluice.cli;

import dev.sluice.cli.checkpoint.Difference;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "diff",
        description = {
            "Say which weights changed from one checkpoint to another and by how much, whatever format each has.",
            "Relative is the L2 norm of the change over that of A; the tensors that changed most come first."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:measured, whether something changed or not", "2:one of the two cannot be read"})
final class DiffCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(index = "0", paramLabel = "A", description = "A checkpoint: a directory or a safetensors file.")
    private Path first = Path.of("");

    @Parameters(index = "1", paramLabel = "B", description = "A later one.")
    private Path second = Path.of("");

    @Option(
            names = "--config",
            paramLabel = "HF_DIR",
            description = "Where the model's config.json lies, if it is not in A or B; names Megatron's tensors.")
    private @Nullable Path config;

    @Option(names = "--top", paramLabel = "N", description = "How many tensors to show (default: 20; 0: all).")
    private int top = 20;

    DiffCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        return new Difference(terminal, top).run(first, second, config);
    }
}

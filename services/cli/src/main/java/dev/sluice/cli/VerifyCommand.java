package dev.sluice.cli;

import dev.sluice.cli.checkpoint.Verification;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "verify",
        description = {
            "Say whether two checkpoints hold the same weights, tensor by tensor, whatever format each has.",
            "Rows that pad a vocabulary are left out; a float32 copy equals the bfloat16 that it rounds to.",
            "8-bit floats with scales of blocks are multiplied out where the other side is not in blocks."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:all tensors are equal", "1:some are not, or only one has them", "2:one cannot be read"})
final class VerifyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(index = "0", paramLabel = "A", description = "A checkpoint: a directory or a safetensors file.")
    private Path first = Path.of("");

    @Parameters(index = "1", paramLabel = "B", description = "Another.")
    private Path second = Path.of("");

    @Option(
            names = "--config",
            paramLabel = "HF_DIR",
            description = "Where the model's config.json lies, if it is not in A or B; names Megatron's tensors.")
    private @Nullable Path config;

    VerifyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        return new Verification(terminal).run(first, second, config);
    }
}

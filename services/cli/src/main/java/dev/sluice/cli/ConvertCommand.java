package dev.sluice.cli;

import dev.sluice.cli.checkpoint.ConversionRun;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "convert",
        description = {
            "Convert a checkpoint: a Hugging Face directory to Megatron's torch_dist, or torch_dist to Hugging Face.",
            "What IN is decides. Needs no GPU, and memory for windows of tensors only."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:converted, or could be with --dry-run",
            "1:reading or writing broke off; nothing is left that looks like a checkpoint",
            "2:it cannot be converted; every problem is listed and nothing was written",
            "130:stopped by Ctrl-C"
        })
final class ConvertCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(index = "0", paramLabel = "IN", description = "The checkpoint to read.")
    private Path in = Path.of("");

    @Parameters(index = "1", paramLabel = "OUT", description = "The directory to make; must not exist.")
    private Path out = Path.of("");

    @Option(
            names = "--config",
            paramLabel = "HF_DIR",
            description = {
                "For an export: the model that the training started from. Names, tokenizer and untrained tensors",
                "come from it (default: what the checkpoint's arguments name)."
            })
    private @Nullable Path config;

    @Option(
            names = "--shard-bytes",
            paramLabel = "N",
            description = "For an export: size of a safetensors file, such as 2GB (default: 5GB).")
    private @Nullable String shardBytes;

    @Option(names = "--dry-run", description = "Only say what would be written, or why it cannot be.")
    private boolean dryRun;

    ConvertCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        return new ConversionRun(terminal, dryRun).run(in, out, config, shardBytes);
    }
}

package dev.sluice.cli;

import dev.sluice.cli.checkpoint.Inspection;
import dev.sluice.cli.checkpoint.Inspection.Detail;
import dev.sluice.cli.checkpoint.TensorPlaces;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "inspect",
        description = {
            "Show what a checkpoint holds, of Hugging Face or Megatron: tensors, types, sizes, iteration, arguments.",
            "Only headers are read. Layers and experts that look alike are one line."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:shown", "2:no checkpoint, or damaged; every problem is listed"})
final class InspectCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Mixin
    private OutputOptions output = new OutputOptions();

    @Parameters(
            paramLabel = "PATH",
            description = "A model directory, the root of a Megatron checkpoint, one iteration, or a safetensors file.")
    private Path path = Path.of("");

    @ArgGroup
    private Shown shown = new Shown();

    static final class Shown {
        @Option(names = "--tree", description = "Show every layer and expert in the tree.")
        private boolean tree;

        @Option(names = "--all", description = "Show every tensor, state, item and argument by its full name.")
        private boolean all;

        @Option(
                names = "--tensors",
                description = {
                    "Show where each tensor of a Hugging Face model lies in Megatron's, with keys for models with and",
                    "without TransformerEngine. Needs config.json alone; --json is the table that training workers get."
                })
        private boolean tensors;
    }

    InspectCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        output.applyTo(terminal);
        if (shown.tensors) {
            return new TensorPlaces(terminal).run(path);
        }
        Detail detail = shown.all ? Detail.ALL : shown.tree ? Detail.TREE : Detail.FOLDED;
        return new Inspection(terminal, detail).run(path);
    }
}

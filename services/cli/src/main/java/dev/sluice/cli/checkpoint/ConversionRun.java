package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import dev.sluice.cli.checkpoint.Copying.Written;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Converts a checkpoint in the direction that its format asks for, or says how it would. */
public record ConversionRun(Terminal terminal, boolean dryRun) {

    /**
     * Checks everything that can be known beforehand, then copies.
     *
     * @param config where an export takes names, tokenizer and untrained tensors from; looked up in the checkpoint if null
     * @param shardBytes such as {@code 5GB}; null for the default
     * @return 0 when done; 2 if it cannot be, and then nothing was written; 130 after Ctrl-C
     * @throws CommandFailure if the paths are not right, or writing fails
     */
    public int run(Path in, Path out, @Nullable Path config, @Nullable String shardBytes) {
        Copying copying = new Copying(ConversionOrder.of(in, out, config, shards(shardBytes)));
        Prospect prospect = Prospect.of(copying);
        if (dryRun || !prospect.possible()) {
            prospect.show(terminal, dryRun);
            return prospect.possible() ? ExitCode.OK : ExitCode.USAGE;
        }
        try (Interruption interruption = Interruption.watched()) {
            return copy(copying, prospect, interruption);
        }
    }

    /** Package-private, so that a test can stop it. */
    int copy(Copying copying, Prospect prospect, Interruption interruption) {
        ConversionOrder order = copying.order();
        TransferProgress progress = new TransferProgress(terminal, "converting", System::nanoTime);
        if (!terminal.json()) {
            terminal.say("%s to %s: %s"
                    .formatted(order.in(), order.direction().target().title(), order.out()));
        }
        prospect.leftovers().forEach(terminal::remark);
        try {
            Written written = copying.run((done, total) -> {
                interruption.check();
                progress.at(done, total);
            });
            show(prospect, written, new Speed(written.bytes(), progress.elapsed()));
            return ExitCode.OK;
        } catch (Interruption.Stopped e) {
            terminal.error("the conversion was stopped; " + Copying.AFTER_STOP);
            return ExitCode.INTERRUPTED;
        } catch (CheckpointException e) {
            throw CommandFailure.failed(e.getMessage());
        }
    }

    private void show(Prospect prospect, Written written, Speed speed) {
        if (terminal.json()) {
            ObjectNode json = prospect.json(false);
            json.put("tensors", written.tensors());
            written.carriedOver().forEach(json.putArray("carriedOver")::add);
            speed.json(json);
            terminal.result(json.toPrettyString());
            return;
        }
        ConversionOrder order = prospect.copying().order();
        terminal.result("%s is written: %,d tensors, %s".formatted(order.out(), written.tensors(), speed));
        prospect.carriedOver(written.carriedOver()).forEach(terminal::result);
        terminal.result("compare with: sluice verify %s %s".formatted(order.in(), order.out()));
    }

    private static OptionalLong shards(@Nullable String text) {
        try {
            return text == null ? OptionalLong.empty() : OptionalLong.of(ByteFigures.parse(text));
        } catch (ArithmeticException | NumberFormatException e) {
            throw CommandFailure.usage("--shard-bytes: " + e.getMessage());
        }
    }
}

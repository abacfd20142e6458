package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowKeys;
import dev.sluice.events.GroupTask;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a prompt file, in the file's order, with the file's hash.
 *
 * @param rows at least one
 * @param sha256 of the file, hexadecimal
 * @param form how a row becomes a task's prompt
 */
public record PromptSet(List<PromptRow> rows, String sha256, PromptForm form) {

    /**
     * Reads a prompt file to train on; prompts above {@code data.maxPromptTokens} are left out.
     *
     * @param modelTokens longest sequence that the model takes
     * @throws TrainingRefusedException if it cannot be read, has no usable row, or has broken ones that the request refuses
     */
    public static PromptSet training(TrainingRequest request, int modelTokens) {
        TrainingRequest.Data data = request.data();
        return read(data.prompts(), request, data.maxPromptTokens(), modelTokens);
    }

    /**
     * Reads a held-out prompt file; every usable row is measured, however long.
     *
     * @throws TrainingRefusedException as {@link #training} does
     */
    public static PromptSet heldOut(String file, TrainingRequest request, int modelTokens) {
        return read(file, request, 0, modelTokens);
    }

    private static PromptSet read(String file, TrainingRequest request, int maximumTokens, int modelTokens) {
        TrainingRequest.Data data = request.data();
        MessageDigest digest = FileHash.digest();
        try (InputStream in = new DigestInputStream(Files.newInputStream(Path.of(file)), digest)) {
            PromptRows rows = PromptRows.read(in, RowKeys.of(request));
            in.transferTo(java.io.OutputStream.nullOutputStream());
            refuse(file, rows, data);
            PromptForm form = PromptForm.of(data);
            Path model = Path.of(request.model().path());
            PromptCheck check = new PromptCheck(file, model, data, maximumTokens);
            List<PromptRow> usable = RunKind.of(request) == RunKind.SUPERVISED
                    ? lessons(check, rows.rows(), request, modelTokens)
                    : check.usable(rows.rows(), form);
            return new PromptSet(usable, HexFormat.of().formatHex(digest.digest()), form);
        } catch (IOException e) {
            throw new TrainingRefusedException(
                    "the prompts %s cannot be read (%s); make the file visible on this host".formatted(file, e), e);
        }
    }

    private static List<PromptRow> lessons(
            PromptCheck check, List<PromptRow> rows, TrainingRequest request, int modelTokens) {
        try (Lessons lessons = Lessons.open(request, modelTokens)) {
            return check.usable(rows, row -> lessons.lesson(row).tokens().length);
        }
    }

    private static void refuse(String file, PromptRows rows, TrainingRequest.Data data) {
        PromptRows.Summary summary = rows.summary();
        if (summary.broken() > 0 && data.badRows() == TrainingRequest.BadRows.REFUSE) {
            throw new TrainingRefusedException(
                    "%s has %d broken lines, the first is %s; mend it or set data.badRows to skip"
                            .formatted(
                                    file, summary.broken(), summary.problems().getFirst()));
        }
        if (rows.rows().isEmpty()) {
            throw new TrainingRefusedException(file + " has no usable row; see data.promptKey and data.labelKey");
        }
        if (summary.conversations() > 0 && !data.applyChatTemplate()) {
            throw new TrainingRefusedException(
                    "%s has %d prompts that are lists of messages; set data.applyChatTemplate to true"
                            .formatted(file, summary.conversations()));
        }
    }

    /** A row's prompt as a task carries it. */
    public GroupTask.Prompt prompt(int row) {
        return form.prompt(rows.get(row));
    }

    /** A row's metadata as JSON text, if it has any. */
    public @Nullable String metadata(int row) {
        return rows.get(row).metadata();
    }

    public String label(int row) {
        return rows.get(row).label();
    }
}

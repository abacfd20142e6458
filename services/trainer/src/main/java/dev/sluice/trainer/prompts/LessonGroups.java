package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.events.Event;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import dev.sluice.trainer.run.TrainedRun;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/**
 * The lessons of rows as groups of one given sample, so that batches, cuts and resumes are those of any run. Such a group
 * stands in no log: its row makes it anew, and its id is that of its place and of the data.
 */
public record LessonGroups(TrainedRun run, Lessons lessons) implements AutoCloseable {
    private static final String GIVEN = "prompt file";

    /**
     * The group at a place in the prompt sequence.
     *
     * @param readTo offset up to which the log of results was read; what stands in no log holds nothing of it back
     */
    public LogEntry<Event> at(long cursor, TrainingPrompts prompts, long readTo) {
        String id = UUID.nameUUIDFromBytes("%s %d %s"
                        .formatted(run.runId(), cursor, prompts.identity())
                        .getBytes(StandardCharsets.UTF_8))
                .toString();
        return new LogEntry<>(group(cursor, prompts.row(cursor)), id, 0, readTo - 1);
    }

    /** One row as a group. */
    public GroupSampled group(long cursor, PromptRow row) {
        Lessons.Lesson lesson = lessons.lesson(row);
        int prompt = lesson.promptTokens();
        int[] answer = Arrays.copyOfRange(lesson.tokens(), prompt, lesson.tokens().length);
        Sample sample = new Sample(
                0,
                Int32Array.of(answer),
                Float32Array.of(new float[answer.length]),
                UInt8Array.of(Arrays.copyOfRange(lesson.mask(), prompt, lesson.mask().length)),
                0.0,
                null,
                FinishReason.STOP,
                List.of(new VersionSpan(0, answer.length)),
                GIVEN,
                0,
                0,
                0,
                null,
                null,
                null,
                null);
        return new GroupSampled(
                run.runId(),
                run.epoch(),
                run.rules().groupId(cursor),
                cursor,
                0,
                0,
                GIVEN,
                Int32Array.of(Arrays.copyOf(lesson.tokens(), prompt)),
                List.of(sample),
                0,
                0,
                null);
    }

    @Override
    public void close() {
        lessons.close();
    }
}

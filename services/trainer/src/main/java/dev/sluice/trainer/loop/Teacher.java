package dev.sluice.trainer.loop;

import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.teacher.TeacherPass;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.workerapi.Batch.Column;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The teacher of a run where a server has it: its column of a step's batch, before the worker is asked for anything. */
final class Teacher {
    private static final String URLS = "sluice.trainer.teacher-urls";

    private final TrainedRun run;
    private final TrainerConfig config;
    private final BatchFiles batches;
    private final @Nullable Waits waits;

    /** @param waits which show a wait that lasts; null where nobody looks */
    Teacher(TrainedRun run, TrainerConfig config, BatchFiles batches, @Nullable Waits waits) {
        this.run = run;
        this.config = config;
        this.batches = batches;
        this.waits = waits;
    }

    /** @throws TrainingRefusedException if the run's teacher may not be called from here */
    static void requireAllowed(TrainingRequest request, TrainerConfig config) {
        address(request)
                .flatMap(address ->
                        new AllowedUrls(URLS, config.teacherUrls().orElse(List.of())).objection(address.toString()))
                .ifPresent(objection -> {
                    throw new TrainingRefusedException("algorithm.distillation.teacher: " + objection);
                });
    }

    private static Optional<URI> address(TrainingRequest request) {
        var distillation = request.algorithm().distillation();
        return distillation.asksTeacher() && distillation.asksServer()
                ? Optional.ofNullable(distillation.teacher()).map(URI::create)
                : Optional.empty();
    }

    /**
     * The teacher's column; none where the worker computes it, or nobody. What was told before a crash is not asked again; a
     * replay may have another teacher than the one before.
     */
    Map<Column, float[]> column(int step, BatchRows rows) throws InterruptedException {
        Optional<URI> address = address(run.request());
        if (address.isEmpty()) {
            return Map.of();
        }
        Optional<float[]> before =
                waits == null ? Optional.empty() : batches.column(step, rows, Column.TEACHER_LOGPROBS);
        return Map.of(Column.TEACHER_LOGPROBS, before.isPresent() ? before.get() : ask(address.get(), step, rows));
    }

    private float[] ask(URI address, int step, BatchRows rows) throws InterruptedException {
        Duration bound = config.waits().teacher();
        try (TeacherPass pass = TeacherPass.begin(address, rows, config.teacherCalls(), config.teacherCallDeadline())) {
            if (waits != null) {
                waits.await(
                        RunWait.TEACHER,
                        "the teacher's word on step " + step,
                        pass::situation,
                        bound,
                        pass::endsWithin);
            } else if (!pass.endsWithin(bound)) {
                throw new TrainingRefusedException("the teacher did not answer within %s (%s): %s"
                        .formatted(bound, RunWait.TEACHER.key(), pass.situation()));
            }
            return pass.column();
        }
    }
}

package dev.sluice.trainer.loop;

import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.domain.training.OldPolicy;
import dev.sluice.events.Algorithm;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Batch.Column;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ForwardRequest.Want;
import dev.sluice.workerapi.ModelRole;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** Passes of models over a batch before its step. One that no coefficient uses is not computed. */
final class ModelPasses {
    private ModelPasses() {}

    /** A pass of a model, and the batch's column that it gives. */
    record Pass(ModelRole model, Want want, Column column) {}

    /** The passes that a request needs of the worker, in order; {@link Teacher} asks one that is served elsewhere. */
    static List<Pass> of(TrainingRequest request) {
        Algorithm algorithm = request.algorithm();
        List<Pass> passes = new ArrayList<>();
        if (OldPolicy.of(request) == OldPolicy.FORWARD) {
            passes.add(new Pass(ModelRole.POLICY, Want.LOGPROBS, Column.OLD_LOGPROBS));
        }
        if (algorithm.usesReference()) {
            passes.add(new Pass(ModelRole.REFERENCE, Want.LOGPROBS, Column.REF_LOGPROBS));
        }
        if (algorithm.distillation().loadedTeacher() != null) {
            passes.add(new Pass(ModelRole.TEACHER, Want.LOGPROBS, Column.TEACHER_LOGPROBS));
        }
        if (Objective.trainsCritic(request)) {
            passes.add(new Pass(ModelRole.CRITIC, Want.VALUES, Column.VALUES));
        }
        return passes;
    }

    /** Lets a worker compute all passes of a batch file. */
    static Map<Column, float[]> columns(List<Pass> passes, Path batch, int epoch, Worker worker, Duration deadline) {
        Map<Column, float[]> columns = new EnumMap<>(Column.class);
        for (Pass pass : passes) {
            String id = UUID.randomUUID().toString();
            Path out = batch.resolveSibling(batch.getFileName() + "." + id + ".out");
            try {
                ForwardRequest request = new ForwardRequest(
                        epoch, "forward-" + id, batch.toString(), pass.model, Set.of(pass.want), out.toString());
                worker.client().forward(request, deadline);
                columns.put(pass.column, read(out, pass.want.name().toLowerCase(Locale.ROOT)));
            } finally {
                delete(out);
            }
        }
        return columns;
    }

    private static float[] read(Path file, String tensor) {
        try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
            var values = safetensors.data(tensor).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            float[] column = new float[values.remaining()];
            values.get(column);
            return column;
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + file, e);
        }
    }
}

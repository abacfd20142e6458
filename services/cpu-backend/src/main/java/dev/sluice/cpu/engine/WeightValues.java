package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.WeightSlice;
import dev.sluice.cpu.model.Weights;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** {@code /get_weights_by_name}: the first rows of a weight, for checks that an update has arrived. */
final class WeightValues {
    private static final int DEFAULT_ROWS = 100;
    private static final long MAX_VALUES = 1 << 20;

    private final Weights weights;
    private final Ranks ranks;

    WeightValues(Weights weights, Ranks ranks) {
        this.weights = weights;
        this.ranks = ranks;
    }

    /** Nested lists of numbers; one for each rank where there are several. */
    Answer get(Call call) throws Exception {
        JsonNode body = call.object();
        String name = body.path("name").asText("");
        int rows = body.path("truncate_size").asInt(DEFAULT_ROWS);
        if (name.isEmpty()) {
            throw new BodyException("name: Field required");
        }
        if (rows < 1) {
            throw new BodyException("truncate_size: must be at least 1, got " + rows);
        }
        WeightSlice slice = weights.slices().stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow(
                        () -> new RequestException("Get parameter by name failed: the model has no " + name + "."));
        Object values = ranks.stopped(() -> values(slice, rows));
        return Answer.ok(ranks.count() == 1 ? values : Collections.nCopies(ranks.count(), values));
    }

    @SuppressWarnings("try") // scopes and guards work by being open
    private List<?> values(WeightSlice slice, int rows) {
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            Tensor tensor = weights.view(slice);
            long kept = Math.min(rows, tensor.size(0));
            long count = tensor.numel() / tensor.size(0) * kept;
            if (count > MAX_VALUES) {
                throw new RequestException("Get parameter by name failed: " + kept + " rows of " + slice.name()
                        + " are " + count + " values, more than " + MAX_VALUES + "; lower truncate_size.");
            }
            Tensor part = tensor.narrow(0, 0, kept).contiguous();
            return nested(Tensors.floats(part.toType(ScalarType.Float)), Tensors.shape(part), 0, 0);
        }
    }

    private static List<?> nested(float[] values, long[] shape, int dimension, int from) {
        int width = 1;
        for (int i = dimension + 1; i < shape.length; i++) {
            width *= Math.toIntExact(shape[i]);
        }
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < shape[dimension]; i++) {
            int start = from + i * width;
            list.add(dimension == shape.length - 1 ? values[start] : nested(values, shape, dimension + 1, start));
        }
        return list;
    }
}

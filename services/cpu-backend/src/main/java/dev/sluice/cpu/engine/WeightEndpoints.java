package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.WeightUpdate;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** Replacing, labelling and comparing weights. */
final class WeightEndpoints {
    private final Engine engine;
    private final Ranks ranks;

    WeightEndpoints(Engine engine) {
        this.engine = engine;
        this.ranks = engine.ranks();
    }

    /**
     * Loads a directory. A paused engine loads at once; another waits for everything that runs, and holds what comes.
     */
    Answer updateFromDisk(Call call) throws Exception {
        WeightUpdate update = call.read(WeightUpdate.class);
        if (update.modelPath() == null) {
            throw new BodyException("model_path: Field required");
        }
        if (Boolean.TRUE.equals(update.abortAllRequests())) {
            ranks.abort(rid -> true);
        }
        try (HuggingFaceCheckpoint checkpoint = engine.openReplacement(update.modelPath())) {
            Callable<List<Integer>> replace = () -> replace(update, checkpoint);
            boolean paused = ranks.each(rank -> rank.between(rank::isPaused)).contains(true);
            List<Integer> running = paused ? ranks.stopped(replace) : ranks.stoppedWhenIdle(replace);
            return Answer.ok(new WeightUpdate.Outcome(true, "Succeeded to update model weights.", running));
        } catch (RequestException e) {
            return refused(String.valueOf(e.getMessage()));
        }
    }

    /** Runs while all ranks are stopped; returns how many requests stand still on each. */
    private List<Integer> replace(WeightUpdate update, HuggingFaceCheckpoint checkpoint) {
        List<Integer> standing =
                ranks.all().stream().map(Scheduler::runningRequests).toList();
        int running = standing.stream().mapToInt(Integer::intValue).sum();
        if (running > 0 && !Boolean.FALSE.equals(update.flushCache())) {
            throw new RequestException("Cache flush failed: " + running + " requests keep their cache while paused in"
                    + " place; send flush_cache=false, or pause with mode abort or retract. Nothing was changed.");
        }
        engine.replaceWeights(checkpoint, update.modelPath());
        if (update.weightVersion() != null) {
            ranks.all().forEach(rank -> rank.labelWeights(update.weightVersion()));
        }
        return standing;
    }

    /** Changes the label alone. */
    Answer updateVersion(Call call) throws Exception {
        JsonNode body = call.object();
        String version = body.path("new_version").asText("");
        if (version.isEmpty()) {
            throw new BodyException("new_version: Field required");
        }
        // SGLang's surprising default.
        boolean abortAll = body.path("abort_all_requests").asBoolean(true);
        ranks.stopped(() -> {
            for (Scheduler rank : ranks.all()) {
                if (abortAll) {
                    rank.abortNow(rid -> true, true);
                }
                rank.labelWeights(version);
            }
            return null;
        });
        return Answer.ok(
                Map.of("success", true, "message", "Weight version updated to " + version, "new_version", version));
    }

    Answer version(Call call) throws Exception {
        return Answer.ok(Map.of("weight_version", ranks.weightVersion()));
    }

    /** One sum over all weights; equal weights give equal sums in every engine of this kind. */
    Answer check(Call call) throws Exception {
        String action = call.object().path("action").asText("checksum");
        if (!action.equals("checksum")) {
            return refused("the action " + action + " is not offered by this engine; use checksum");
        }
        String sum = ranks.stopped(() -> Checksums.of(engine.weights()));
        return Answer.ok(Map.of(
                "success",
                true,
                "message",
                "Success.",
                "ranks",
                List.of(Map.of("rank", 0, "checksum", sum)),
                "per_engine_checksum",
                sum));
    }

    private static Answer refused(String message) {
        return new Answer.Json(400, new WeightUpdate.Outcome(false, message, null));
    }
}

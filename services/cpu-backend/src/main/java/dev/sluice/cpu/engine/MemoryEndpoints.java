package dev.sluice.cpu.engine;

import static dev.sluice.cpu.engine.ControlEndpoints.waited;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Giving memory back and taking it again. On a CPU nothing is freed; what is given back is noted, requests wait meanwhile, and
 * the mistakes that kill a GPU engine are refused.
 */
final class MemoryEndpoints {
    private static final Set<String> TAGS = Set.of("kv_cache", "weights", "cuda_graph");

    private final Scheduler scheduler;
    /** Touched in the scheduler's thread alone. */
    private final Set<String> released = new LinkedHashSet<>();

    MemoryEndpoints(Scheduler scheduler) {
        this.scheduler = scheduler;
    }

    Answer release(Call call) throws Exception {
        Set<String> tags = tags(call);
        waited(scheduler.between(() -> {
            if (!scheduler.isIdle()) {
                throw new RequestException("release_memory_occupation should be called only when server is idle.");
            }
            released.addAll(tags);
            scheduler.memoryReleased(true);
            return null;
        }));
        return Answer.ok(null);
    }

    Answer resume(Call call) throws Exception {
        Set<String> tags = tags(call);
        boolean all = call.object().path("tags").isMissingNode()
                || call.object().path("tags").isNull();
        waited(scheduler.between(() -> {
            if (!all && !released.containsAll(tags)) {
                throw new RequestException(
                        "resume_memory_occupation: " + tags + " asked for, but only " + released + " were released.");
            }
            released.removeAll(tags);
            scheduler.memoryReleased(!released.isEmpty());
            return null;
        }));
        return Answer.ok(null);
    }

    private static Set<String> tags(Call call) {
        JsonNode given = call.object().path("tags");
        if (given.isMissingNode() || given.isNull()) {
            return TAGS;
        }
        Set<String> tags = new LinkedHashSet<>();
        for (JsonNode tag : given) {
            if (!TAGS.contains(tag.asText())) {
                throw new BodyException("tags: " + tag + " is none of " + TAGS);
            }
            tags.add(tag.asText());
        }
        return tags;
    }
}

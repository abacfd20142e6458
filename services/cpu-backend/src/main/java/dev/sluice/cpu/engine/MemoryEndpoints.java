package dev.sluice.cpu.engine;

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

    private final Ranks ranks;
    /** Touched while all ranks are stopped. */
    private final Set<String> released = new LinkedHashSet<>();

    MemoryEndpoints(Ranks ranks) {
        this.ranks = ranks;
    }

    Answer release(Call call) throws Exception {
        Set<String> tags = tags(call);
        ranks.stopped(() -> {
            if (!ranks.all().stream().allMatch(Scheduler::isIdle)) {
                throw new RequestException("release_memory_occupation should be called only when server is idle.");
            }
            released.addAll(tags);
            ranks.all().forEach(rank -> rank.memoryReleased(true));
            return null;
        });
        return Answer.ok(null);
    }

    Answer resume(Call call) throws Exception {
        Set<String> tags = tags(call);
        boolean all = call.object().path("tags").isMissingNode()
                || call.object().path("tags").isNull();
        ranks.stopped(() -> {
            if (!all && !released.containsAll(tags)) {
                throw new RequestException(
                        "resume_memory_occupation: " + tags + " asked for, but only " + released + " were released.");
            }
            released.removeAll(tags);
            ranks.all().forEach(rank -> rank.memoryReleased(!released.isEmpty()));
            return null;
        });
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

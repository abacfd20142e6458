package dev.sluice.domain.run;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What speaks against a run that goes on from another one, as far as their requests say; the trainer looks at cut and files. */
final class ResumeRules {
    private static final String RULE = "checkpoints.resume";

    /** They decide which prompt stands at a place in the sequence. */
    private static final List<String> ORDER = List.of("seed", "shuffle", "applyChatTemplate");

    /** They decide what a chat template makes of it. */
    private static final List<String> TEMPLATE = List.of("toolKey", "chatTemplateArguments");

    private ResumeRules() {}

    /**
     * @param earlier the run that the request names, where it is known
     * @param later names it
     */
    static List<Problem> problems(@Nullable Run earlier, TrainingRequest later) {
        String earlierId = String.valueOf(later.checkpoints().resumeFrom());
        if (earlier == null || earlier.accepted() == null) {
            return List.of(Problem.error(
                    RULE,
                    "checkpoints.resumeFrom",
                    "there is no run %s that was planned".formatted(earlierId),
                    "give a run that \"sluice status\" lists as succeeded, failed or cancelled"));
        }
        List<Problem> problems = new ArrayList<>();
        if (!earlier.phase().ended()) {
            problems.add(Problem.error(
                    RULE,
                    "checkpoints.resumeFrom",
                    "run %s still goes on (%s)"
                            .formatted(earlierId, earlier.phase().name().toLowerCase(Locale.ROOT)),
                    "cancel it with \"sluice cancel %s\", or wait for its end".formatted(earlierId)));
        }
        problems.addAll(otherPrompts(earlierId, earlier.accepted().event().request(), later));
        return problems;
    }

    private static List<Problem> otherPrompts(String earlierId, TrainingRequest earlier, TrainingRequest later) {
        JsonNode before = EventJson.mapper().valueToTree(earlier.data());
        JsonNode now = EventJson.mapper().valueToTree(later.data());
        List<String> keys = new ArrayList<>(ORDER);
        if (earlier.data().applyChatTemplate() && later.data().applyChatTemplate()) {
            keys.addAll(TEMPLATE);
        }
        return keys.stream()
                .filter(key -> !before.path(key).equals(now.path(key)))
                .map(key -> Problem.error(
                        RULE,
                        "data." + key,
                        "is %s, and was %s in run %s: the places in the prompt sequence that its cut has used up would be other prompts"
                                .formatted(now.path(key), before.path(key), earlierId),
                        "set data.%s to %s, or start a new run without checkpoints.resumeFrom"
                                .formatted(key, before.path(key))))
                .toList();
    }
}

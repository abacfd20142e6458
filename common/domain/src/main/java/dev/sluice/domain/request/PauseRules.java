package dev.sluice.domain.request;

import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Locale;

/** Rules about samples that are being generated while weights change. */
final class PauseRules {
    private static final String PATH = "rollout.pauseMode";

    /** Before it {@code /pause_generation} has no modes, and always aborts. */
    private static final String MODES_SINCE = "0.5.6";

    static final List<RequestRule> ALL = List.of(
            new RequestRule(
                    "pause.partial", "samples that go on in the engine are not begun anew", PauseRules::partial),
            new RequestRule("pause.version", "the engine's version has the pause mode", PauseRules::version),
            new RequestRule("pause.lag", "samples that go on under new weights may be trained on", PauseRules::lag));

    private PauseRules() {}

    private static void partial(TrainingRequest request, Facts facts, Findings findings) {
        Rollout rollout = request.rollout();
        if (rollout.pauseMode().goesOn() && rollout.partialRollout() == PartialRollout.RESTART) {
            findings.error(
                    PATH,
                    "with %s a sample goes on in the engine under new weights, but rollout.partialRollout restart begins it anew"
                            .formatted(name(rollout)),
                    "set rollout.partialRollout to continue, or to continue_masked; or leave rollout.pauseMode at abort");
        }
    }

    private static void version(TrainingRequest request, Facts facts, Findings findings) {
        String sglang = request.versions().sglang();
        if (request.rollout().pauseMode().goesOn() && !new Version(sglang).atLeast(MODES_SINCE)) {
            findings.error(
                    PATH,
                    "SGLang %s knows no pause mode %s; it came with %s"
                            .formatted(sglang, name(request.rollout()), MODES_SINCE),
                    "set it to abort, or versions.sglang to " + MODES_SINCE + " or newer");
        }
    }

    private static void lag(TrainingRequest request, Facts facts, Findings findings) {
        if (request.rollout().pauseMode().goesOn() && request.rollout().maxPolicyLag() == 0) {
            findings.warning(
                    PATH,
                    "%s keeps samples alive across new weights, but rollout.maxPolicyLag 0 lets none of them be trained on"
                            .formatted(name(request.rollout())),
                    "raise rollout.maxPolicyLag to 1 or more, or set rollout.pauseMode to abort");
        }
    }

    private static String name(Rollout rollout) {
        return rollout.pauseMode().name().toLowerCase(Locale.ROOT);
    }
}

package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.reward.RewardType;
import dev.sluice.domain.stop.StopPattern;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.Hooks;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Rules about functions of one's own and about stop patterns. Whether an instance may call an address only the instance knows. */
final class HookRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("hooks.url", "a hook is an address", HookRules::url),
            new RequestRule("hooks.turns", "one of them takes the turns of a response", HookRules::turns),
            new RequestRule("hooks.filter", "one filter judges groups", HookRules::filter),
            new RequestRule("hooks.time", "a hook ends before its group does", HookRules::time),
            new RequestRule("rollout.stop-regex", "stop patterns can be searched for", HookRules::patterns));

    private HookRules() {}

    private static void url(TrainingRequest request, Facts facts, Findings findings) {
        Hooks hooks = request.rollout().hooks();
        if (hooks == null) {
            return;
        }
        if (hooks.generate() == null && hooks.dynamicFilter() == null) {
            findings.error(
                    "rollout.hooks",
                    "it names neither generate nor dynamicFilter",
                    "give an address of one, such as generate: http://127.0.0.1:8090/generate, or leave it out");
        }
        address("generate", hooks.generate(), findings);
        address("dynamicFilter", hooks.dynamicFilter(), findings);
    }

    private static void address(String hook, @Nullable String url, Findings findings) {
        if (url != null) {
            RewardType.objection(url)
                    .ifPresent(problem -> findings.error(
                            "rollout.hooks." + hook,
                            problem,
                            "host the function with sluice-hooks and give its address, such as http://127.0.0.1:8090/"
                                    + (hook.equals("generate") ? "generate" : "dynamic-filter")));
        }
    }

    private static void turns(TrainingRequest request, Facts facts, Findings findings) {
        Hooks hooks = request.rollout().hooks();
        if (hooks != null && hooks.generate() != null && request.rollout().turns() != null) {
            findings.error(
                    "rollout.turns",
                    "the function of rollout.hooks.generate asks the model and its environment itself",
                    "leave out rollout.turns, or rollout.hooks.generate");
        }
    }

    private static void filter(TrainingRequest request, Facts facts, Findings findings) {
        Hooks hooks = request.rollout().hooks();
        DynamicFilter named = request.rollout().dynamicFilter();
        if (hooks != null && hooks.dynamicFilter() != null && named != DynamicFilter.NONE) {
            findings.error(
                    "rollout.dynamicFilter",
                    "two filters are named: %s and rollout.hooks.dynamicFilter"
                            .formatted(named.name().toLowerCase(Locale.ROOT)),
                    "set it to none, or leave out rollout.hooks.dynamicFilter");
        }
    }

    private static void time(TrainingRequest request, Facts facts, Findings findings) {
        Rollout rollout = request.rollout();
        if (rollout.hooks() != null && rollout.hooks().timeoutSeconds() >= rollout.groupDeadlineSeconds()) {
            findings.warning(
                    "rollout.hooks.timeoutSeconds",
                    "one call may take %d s of the %d s in which its group must be done"
                            .formatted(rollout.hooks().timeoutSeconds(), rollout.groupDeadlineSeconds()),
                    "lower it, or raise rollout.groupDeadlineSeconds");
        }
    }

    private static void patterns(TrainingRequest request, Facts facts, Findings findings) {
        List<String> patterns = request.rollout().stopRegex();
        if (patterns.size() > StopPattern.MAX_PATTERNS) {
            findings.error(
                    "rollout.stopRegex",
                    "has %d patterns".formatted(patterns.size()),
                    "give at most %d; a|b is one".formatted(StopPattern.MAX_PATTERNS));
        }
        for (int i = 0; i < patterns.size(); i++) {
            String path = "rollout.stopRegex[%d]".formatted(i);
            StopPattern.objection(patterns.get(i))
                    .ifPresent(problem -> findings.error(
                            path, problem, "write it in RE2's syntax, or give the text itself in rollout.stop"));
        }
    }
}

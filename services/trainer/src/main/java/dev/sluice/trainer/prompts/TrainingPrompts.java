package dev.sluice.trainer.prompts;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.domain.training.DataIdentity;
import dev.sluice.domain.training.GroupAsk;
import dev.sluice.domain.training.PromptOrder;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.run.TrainedRun;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** The prompts that a run trains on, in their order, as tasks. */
public final class TrainingPrompts {
    private final TrainedRun run;
    private final PromptSet set;
    private final PromptOrder order;
    private final String identity;

    private TrainingPrompts(TrainedRun run, PromptSet set, String identity) {
        TrainingRequest.Data data = run.request().data();
        this.run = run;
        this.set = set;
        this.order = new PromptOrder(set.rows().size(), data.shuffle(), data.seed());
        this.identity = identity;
    }

    public static TrainingPrompts read(TrainedRun run) {
        TrainingRequest.Data data = run.request().data();
        PromptSet set = PromptSet.training(run.request(), run.plan().model().maxContextTokens());
        Path model = Path.of(run.request().model().path());
        DataIdentity identity = new DataIdentity(
                set.sha256(),
                set.rows().size(),
                data.shuffle(),
                data.seed(),
                FileHash.ofOptional(model.resolve("tokenizer.json")),
                data.applyChatTemplate() ? template(model) + set.form().identity() : "");
        return new TrainingPrompts(run, set, identity.sha256());
    }

    private static String template(Path model) {
        String own = FileHash.ofOptional(model.resolve("chat_template.jinja"));
        return own.isEmpty() ? FileHash.ofOptional(model.resolve("tokenizer_config.json")) : own;
    }

    /** Hash of what decides which prompt stands at a cursor. */
    public String identity() {
        return identity;
    }

    /** The row at a place in the sequence. */
    PromptRow row(long cursor) {
        return set.rows().get(order.row(cursor));
    }

    /** The task of a group for an instance. */
    public GroupRequested task(GroupAsk ask, int attempt, String instanceId, Instant deadline) {
        Rollout rollout = run.request().rollout();
        int row = order.row(ask.cursor());
        return new GroupRequested(
                run.runId(),
                run.epoch(),
                run.rules().groupId(ask.cursor()),
                ask.cursor(),
                ask.round(),
                attempt,
                instanceId,
                set.prompt(row),
                set.label(row),
                run.request().reward().type(),
                rollout.samplesPerPrompt(),
                new Sampling(
                        rollout.temperature(),
                        rollout.topP(),
                        rollout.topK(),
                        rollout.maxResponseTokens(),
                        order.samplingSeed(ask.cursor(), ask.round()),
                        rollout.stop(),
                        rollout.stopTokenIds(),
                        rollout.stopRegex()),
                ask.minimumVersion(),
                null,
                deadline,
                rollout.partialRollout(),
                List.of(),
                set.metadata(row),
                run.request().reward(),
                rollout.turns(),
                rollout.hooks());
    }
}

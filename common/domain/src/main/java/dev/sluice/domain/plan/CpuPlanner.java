package dev.sluice.domain.plan;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.request.HandOverRules;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.Memory;
import dev.sluice.events.Plan.ModelFigures;
import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.Problem;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Plans for the embedded engine and worker: one process each, float32, no parallelism inside. */
final class CpuPlanner implements Planner {
    private static final int DEFAULT_ENGINES = 2;
    private static final int DEFAULT_RUNNING_REQUESTS = 128;
    private static final TrainingLayout ONE_PROCESS = new TrainingLayout(1, 1, 1, 1, 1, 1);

    @Override
    public Planning plan(TrainingRequest request, ModelFacts models, List<Problem> warnings) {
        ModelSpec model = models.policy();
        ModelFigures figures = new Parameters(model).figures();
        List<Choice> choices = new ArrayList<>();
        int asked = request.rollout().engines();
        int nodes = request.cluster().rolloutNodes();
        if (asked > 0 && nodes > asked && nodes % asked != 0) {
            return new Planning.Refused(List.of(Problem.error(
                    "plan.engine-nodes",
                    "cluster.rolloutNodes",
                    "%d nodes do not divide over %d engines".formatted(nodes, asked),
                    "set cluster.rolloutNodes to %d or %d, or rollout.engines to %d (an engine a node)"
                            .formatted(nodes / asked * asked, (nodes / asked + 1) * asked, nodes))));
        }
        RolloutPlan rollout = rollout(request, model, choices);
        TrainingPlan training = training(request, model, figures, choices);
        double needed = (RunKind.of(request).trains() ? training.memory().hostGiBPerNode() : 0)
                + rollout.engines() * CpuMemory.engineGiB(figures, model, rollout.kvTokensPerRank());
        int given = request.cluster().hostMemoryGiB();
        if (given > 0 && needed > given) {
            return new Planning.Refused(List.of(Problem.error(
                    "plan.host-memory",
                    "cluster.hostMemoryGiB",
                    String.format(
                            Locale.ROOT,
                            "%d engines and the worker need %.1f GiB of memory; the host has %d GiB",
                            rollout.engines(),
                            needed,
                            given),
                    "lower rollout.engines, or use a host with at least %d GiB".formatted((long) Math.ceil(needed)))));
        }
        Placement placement = placement(request, choices);
        // No prediction: speed depends on cores shared with others, and nothing measured backs a figure here.
        return new Planning.Planned(new Plan(
                Backend.CPU,
                figures,
                training,
                rollout,
                null,
                List.copyOf(choices),
                List.copyOf(warnings),
                List.of(),
                List.of(),
                placement,
                transport(request, choices)));
    }

    private static Placement placement(TrainingRequest request, List<Choice> choices) {
        boolean asked = request.cluster().placement() == Placement.COLOCATED;
        if (!HandOverRules.takesTurns(request)) {
            return Placement.DISAGGREGATED;
        }
        choices.add(choice(
                "cluster.placement",
                asked ? "colocated" : "disaggregated",
                asked
                        ? "the request says so; engines stand still while the worker of their host trains, and keep their memory, since there is no GPU to give"
                        : "engines sample while the worker trains",
                asked ? null : "colocated: on cpu it frees nothing, and engines would stand still meanwhile"));
        return asked ? Placement.COLOCATED : Placement.DISAGGREGATED;
    }

    private static Transport transport(TrainingRequest request, List<Choice> choices) {
        Transport asked = request.weights().transport();
        Transport chosen = asked == Transport.AUTO ? Transport.DISK : asked;
        choices.add(choice(
                "weights.transport",
                chosen.name().toLowerCase(Locale.ROOT),
                asked == Transport.AUTO
                        ? "processes without GPUs have no memory that others could read: files carry the weights"
                        : "the request says so",
                null));
        return chosen;
    }

    private static RolloutPlan rollout(TrainingRequest request, ModelSpec model, List<Choice> choices) {
        int asked = request.rollout().engines();
        int engines = !RunKind.of(request).samples() ? 0 : asked > 0 ? asked : DEFAULT_ENGINES;
        choices.add(
                engines == 0
                        ? choice("rollout.engines", 0, "answers are given, so that nothing is sampled", null)
                        : asked > 0
                                ? choice("rollout.engines", engines, "the request says so", null)
                                : choice(
                                        "rollout.engines",
                                        engines,
                                        "one engine loads weights or restarts while the other samples",
                                        "1: sampling would stop at every publication"));
        int nodes = asked > 0 ? Math.max(1, request.cluster().rolloutNodes() / asked) : 1;
        if (nodes > 1) {
            choices.add(choice(
                    "rollout.nodesPerEngine",
                    nodes,
                    "%d nodes for %d engines; each needs that many rollout instances at once. On cpu the first holds the whole model"
                            .formatted(request.cluster().rolloutNodes(), engines),
                    "1: engines would leave nodes unused; set rollout.engines to use them so"));
        }
        int running = Math.max(DEFAULT_RUNNING_REQUESTS, request.rollout().samplesPerPrompt());
        choices.add(choice(
                "rollout.maxRunningRequests",
                running,
                "%d groups of %d samples run at once in an engine; decoding in large batches costs little more than in small ones"
                        .formatted(
                                running / request.rollout().samplesPerPrompt(),
                                request.rollout().samplesPerPrompt()),
                null));
        return new RolloutPlan(
                engines,
                new EngineLayout(1, 1, 1, 0),
                EngineArguments.of(request, model.maxContextTokens(), running, nodes),
                (long) running * model.maxContextTokens(),
                running);
    }

    private static TrainingPlan training(
            TrainingRequest request, ModelSpec model, ModelFigures figures, List<Choice> choices) {
        choices.add(choice(
                "training.layout",
                "TP1 PP1 CP1 EP1",
                "the cpu worker is one process that holds the whole model",
                null));
        boolean trained = request.training().mtp().train();
        choices.add(choice(
                "training.mtp",
                trained ? "trained" : "frozen",
                trained
                        ? "drafts keep up with the policy, so that more of them are accepted"
                        : "the request trains the decoder alone; the MTP layer is exported as it came",
                null));
        double workerGiB = CpuMemory.workerGiB(figures, request);
        choices.add(choice(
                "training.memory",
                String.format(Locale.ROOT, "%.2f GiB", workerGiB),
                "16 bytes a trained parameter: weight, gradient and both moments in float32",
                null));
        return new TrainingPlan(
                ONE_PROCESS,
                MegatronArguments.of(model, ONE_PROCESS, request),
                new Memory(0, workerGiB, 0, List.of(), List.of(new Part("worker", workerGiB))),
                true);
    }

    /** Attention as the embedded engine computes it; the rules let no other model through. */
    static LatentAttention latent(ModelSpec model) {
        if (model.attention() instanceof LatentAttention latent) {
            return latent;
        }
        throw new IllegalStateException(
                "the cpu backend was given %s, whose attention it does not compute".formatted(model.modelType()));
    }

    private static Choice choice(String decision, Object value, String because, @Nullable String rejected) {
        return new Choice(decision, value.toString(), because, rejected);
    }
}

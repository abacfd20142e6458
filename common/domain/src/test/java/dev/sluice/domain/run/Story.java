package dev.sluice.domain.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.Backend;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.Plan;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.TrainingRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Runs, instances and a clock for tests of decisions: what is decided is applied, as the planner does. */
final class Story {
    static final String RUN = "tiny";

    final List<RunEvent> log = new ArrayList<>();
    final List<Instant> times = new ArrayList<>();
    final RunDesk desk;
    private final Map<String, InstanceSnapshot> alive = new TreeMap<>();
    private Instant now = Instant.parse("2026-11-24T00:00:00Z");

    Story() {
        this(QueueRules.USUAL);
    }

    Story(QueueRules rules) {
        this.desk = new RunDesk(Deadlines.DEFAULT, rules);
    }

    /** A run of two engines is planned, and nothing is decided yet. */
    static Story ofPlannedRun() {
        Story story = new Story();
        story.plan(RUN, 2);
        return story;
    }

    /** A run of two engines trains on trainer-1, rollout-1 and rollout-2, all of incarnation "a". */
    static Story ofRunningRun() {
        Story story = ofPlannedRun();
        story.start("rollout-1", "a", Role.ROLLOUT, 1);
        story.start("rollout-2", "a", Role.ROLLOUT, 1);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.happens();
        Reports.ofAGoodStart(RUN, story.assignment()).forEach(story::hear);
        story.happens();
        return story;
    }

    void plan(String runId, int engines) {
        desk.answer(planned(runId, engines, 10)).ifPresent(this::append);
    }

    /** A run whose request says more; so many engines are planned for it. */
    void plan(String runId, int engines, Consumer<ObjectNode> request) {
        desk.answer(planned(runId, engines, 10, 0, request)).ifPresent(this::append);
    }

    /** A run that takes up to so many engines where there is room. */
    void planElastic(String runId, int engines, int maxEngines) {
        RunPlanned planned = planned(runId, engines, 10, maxEngines);
        desk.answer(planned).ifPresent(this::append);
    }

    /** A run whose engines span so many nodes, with so many GPUs on each. */
    void planNodes(String runId, int engines, int maxEngines, int nodes, int gpusPerNode) {
        RunPlanned one = planned(runId, engines, 10, maxEngines);
        Plan plan = one.plan();
        Plan.RolloutPlan rollout = new Plan.RolloutPlan(
                engines,
                new Plan.EngineLayout(nodes, 1, 1, 0),
                List.of("--tp-size", Integer.toString(nodes), "--nnodes", Integer.toString(nodes)),
                512,
                128,
                nodes * gpusPerNode,
                List.of(),
                Map.of(),
                List.of());
        Plan spread =
                new Plan(plan.backend(), plan.model(), plan.training(), rollout, null, plan.choices(), plan.warnings());
        desk.answer(new RunPlanned(runId, one.requestSha256(), one.request(), spread))
                .ifPresent(this::append);
    }

    /** A run of one engine whose worker takes so many GPUs, at most 4 of a node. */
    void planTraining(String runId, int gpus) {
        RunPlanned one =
                planned(runId, 1, 10, 0, request -> request.putObject("cluster").put("gpusPerNode", 4));
        Plan plan = one.plan();
        Plan.TrainingPlan training = new Plan.TrainingPlan(
                new Plan.TrainingLayout(gpus, 1, 1, 1, 1, 1),
                List.of(),
                plan.training().memory(),
                false,
                gpus,
                1024,
                List.of(),
                Map.of());
        Plan onGpus =
                new Plan(plan.backend(), plan.model(), training, plan.rollout(), null, plan.choices(), plan.warnings());
        desk.answer(new RunPlanned(runId, one.requestSha256(), one.request(), onGpus))
                .ifPresent(this::append);
    }

    /** A run whose engines and worker take turns on the GPUs of nodes with 4 each; without GPUs where the worker has none. */
    void planTurns(String runId, int workerGpus, int engines, int gpusPerEngine) {
        RunPlanned one = planned(
                runId, engines, 10, 0, request -> request.putObject("cluster").put("gpusPerNode", 4));
        Plan plan = one.plan();
        int nodes = Math.max(1, Math.ceilDiv(gpusPerEngine, 4));
        Plan turns = new Plan(
                plan.backend(),
                plan.model(),
                new Plan.TrainingPlan(
                        plan.training().layout(),
                        List.of(),
                        plan.training().memory(),
                        false,
                        workerGpus,
                        1024,
                        List.of(),
                        Map.of()),
                new Plan.RolloutPlan(
                        engines,
                        new Plan.EngineLayout(1, 1, 1, 0),
                        nodes > 1 ? List.of("--nnodes", Integer.toString(nodes)) : List.of(),
                        512,
                        128,
                        gpusPerEngine,
                        List.of(),
                        Map.of(),
                        List.of()),
                null,
                plan.choices(),
                plan.warnings(),
                List.of(),
                List.of(),
                TrainingRequest.Placement.COLOCATED,
                TrainingRequest.Transport.DISK);
        desk.answer(new RunPlanned(runId, one.requestSha256(), one.request(), turns))
                .ifPresent(this::append);
    }

    static RunPlanned planned(String runId, int engines, int steps) {
        return planned(runId, engines, steps, 0);
    }

    private static RunPlanned planned(String runId, int engines, int steps, int maxEngines) {
        return planned(runId, engines, steps, maxEngines, request -> {});
    }

    private static RunPlanned planned(String runId, int engines, int steps, int maxEngines, Consumer<ObjectNode> more) {
        ObjectNode document = EventJson.mapper().createObjectNode();
        document.put("backend", "cpu");
        document.putObject("model").put("path", "/m");
        document.putObject("data").put("prompts", "/p");
        document.putObject("training").put("steps", steps);
        document.putObject("rollout").put("maxEngines", maxEngines);
        more.accept(document);
        Reading.Complete complete = (Reading.Complete) RequestReader.read(document);
        return new RunPlanned(runId, complete.sha256(), complete.request(), plan(complete.request(), engines));
    }

    private static Plan plan(TrainingRequest request, int engines) {
        return new Plan(
                request.backend(),
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 1, 512),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1), List.of(), new Plan.Memory(0, 1), true),
                new Plan.RolloutPlan(engines, new Plan.EngineLayout(1, 1, 1, 0), List.of(), 512, 128),
                null,
                List.of(),
                List.of());
    }

    /** From now on the instance sends heartbeats. */
    void start(String instanceId, String incarnation, Role role, int slots) {
        start(instanceId, incarnation, role, slots, 0);
    }

    /** The same with GPUs. */
    void start(String instanceId, String incarnation, Role role, int slots, int gpus) {
        startOn("host", instanceId, incarnation, role, slots, gpus);
    }

    /** The same on a host. */
    void startOn(String host, String instanceId, String incarnation, Role role, int slots, int gpus) {
        alive.put(instanceId, snapshot(host, instanceId, incarnation, role, State.READY, slots, gpus));
        hear(alive.get(instanceId));
    }

    /** From now on nothing is heard of the instance. */
    void silence(String instanceId) {
        alive.remove(instanceId);
    }

    /** The instance says that it stops or drains. */
    void say(String instanceId, State state) {
        InstanceSnapshot last = alive.remove(instanceId);
        hear(snapshot(last.host(), instanceId, last.incarnation(), last.role(), state, last.slots(), last.gpus()));
    }

    private InstanceSnapshot snapshot(
            String host, String instanceId, String incarnation, Role role, State state, int slots, int gpus) {
        return new InstanceSnapshot(
                instanceId, incarnation, role, state, host, 1, Backend.CPU, gpus, 1024, slots, 0, Map.of(), now);
    }

    boolean hear(Event event) {
        return desk.observe(event, now);
    }

    /** Time goes by, with a heartbeat and a decision each second; returns what was decided. */
    List<RunEvent> pass(Duration duration) {
        List<RunEvent> decided = new ArrayList<>(happens());
        for (long second = 0; second < duration.toSeconds(); second++) {
            now = now.plusSeconds(1);
            alive.values().forEach(this::hear);
            decided.addAll(happens());
        }
        return decided;
    }

    /** This process is held up: time goes by, and heartbeats wait unread. */
    void holdUp(Duration duration) {
        now = now.plus(duration);
    }

    /** Everything that is due now. */
    List<RunEvent> happens() {
        List<RunEvent> decided = new ArrayList<>();
        for (Optional<RunEvent> next = desk.next(now); next.isPresent(); next = desk.next(now)) {
            append(next.get());
            decided.add(next.get());
            if (decided.size() > 20) {
                throw new AssertionError("No end of decisions: " + decided);
            }
        }
        return decided;
    }

    void append(RunEvent event) {
        log.add(event);
        times.add(now);
        desk.apply(event, now);
    }

    RunAssigned assignment() {
        return log.stream()
                .filter(RunAssigned.class::isInstance)
                .map(RunAssigned.class::cast)
                .reduce((one, other) -> other)
                .orElseThrow();
    }

    Run run() {
        return desk.run(RUN);
    }

    /** The states that the log alone gives. */
    List<Run> replayed() {
        RunDesk fresh = new RunDesk(Deadlines.DEFAULT, QueueRules.USUAL);
        for (int i = 0; i < log.size(); i++) {
            fresh.apply(log.get(i), times.get(i));
        }
        return List.copyOf(fresh.runs());
    }
}

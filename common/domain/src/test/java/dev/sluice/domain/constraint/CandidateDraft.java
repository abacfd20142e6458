package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.Installed;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.model.ModelSpec;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A candidate of which a test changes a few values: {@code Candidates.glm().tp(2).build()}. */
public final class CandidateDraft {
    private ModelSpec model;
    private Installed installed;

    private Gpu gpu;
    private int gpusPerNode;
    private int trainGpus;
    private int rolloutGpus;
    private boolean colocated;
    private int hostMemoryGiB;
    private int diskGiB;
    private boolean rdma;
    private List<String> sharedRoots;
    private int totalGpus;

    private int tp;
    private int pp;
    private int cp;
    private int ep;
    private int etp;
    private @Nullable Integer first;
    private @Nullable Integer last;
    private int tokensPerGpu;
    private boolean sequenceParallel;
    private Recompute recompute;
    private Optimizer optimizer;
    private Dispatcher dispatcher;
    private boolean deepEp;
    private boolean mtpTrained;
    private Flags megatron;

    private int groups;
    private int samples;
    private int globalBatch;
    private int optimizerSteps;
    private int oversample;
    private int maxPrompt;
    private int maxResponse;
    private int maxContext;
    private double temperature;
    private int frozenModels;
    private boolean asynchronous;
    private boolean rollout;
    private List<String> paths;
    private Flags slime;
    private final Workload rest;

    private @Nullable EngineSide engine;

    CandidateDraft(Candidate from) {
        model = from.model();
        installed = from.installed();
        Cluster machines = from.cluster();
        gpu = machines.gpu();
        gpusPerNode = machines.gpusPerNode();
        trainGpus = machines.trainGpus();
        rolloutGpus = machines.rolloutGpus();
        colocated = machines.colocated();
        hostMemoryGiB = machines.hostMemoryGiB();
        diskGiB = machines.diskGiB();
        rdma = machines.rdma();
        sharedRoots = machines.sharedRoots();
        totalGpus = machines.totalGpus();
        TrainingSide training = from.training();
        Layout layout = training.layout();
        layout(layout.tp(), layout.pp(), layout.cp(), layout.ep(), layout.etp());
        first = layout.firstStageLayers();
        last = layout.lastStageLayers();
        tokensPerGpu = training.tokensPerGpu();
        sequenceParallel = training.sequenceParallel();
        recompute = training.recompute();
        optimizer = training.optimizer();
        dispatcher = training.dispatcher();
        deepEp = training.deepEp();
        mtpTrained = training.mtpTrained();
        megatron = training.flags();
        rest = from.workload();
        groups = rest.groupsPerStep();
        samples = rest.samplesPerPrompt();
        globalBatch = rest.globalBatchSamples();
        optimizerSteps = rest.optimizerStepsPerStep();
        oversample = rest.oversample();
        maxPrompt = rest.maxPromptTokens();
        maxResponse = rest.maxResponseTokens();
        maxContext = rest.maxContextTokens();
        temperature = rest.temperature();
        frozenModels = rest.frozenModels();
        asynchronous = rest.asynchronous();
        rollout = rest.rollout();
        paths = rest.paths();
        slime = rest.slime();
        engine = from.engine();
    }

    public Candidate build() {
        Cluster cluster = new Cluster(
                gpu,
                gpusPerNode,
                trainGpus,
                rolloutGpus,
                colocated,
                hostMemoryGiB,
                diskGiB,
                rdma,
                sharedRoots,
                totalGpus);
        Workload workload = new Workload(
                groups,
                samples,
                globalBatch,
                optimizerSteps,
                oversample,
                maxPrompt,
                maxResponse,
                maxResponse / 2,
                maxContext,
                temperature,
                frozenModels,
                rest.oldLogprobPass(),
                rest.evaluated(),
                asynchronous,
                rollout,
                paths,
                slime);
        TrainingSide training = new TrainingSide(
                new Layout(tp, pp, cp, ep, etp, first, last),
                tokensPerGpu,
                sequenceParallel,
                recompute,
                optimizer,
                dispatcher,
                deepEp,
                mtpTrained,
                megatron);
        return new Candidate(model, cluster, installed, workload, training, engine);
    }

    public CandidateDraft model(ModelSpec other) {
        model = other;
        return this;
    }

    /** The program that trains, with its version or day. */
    public CandidateDraft trainer(String name) {
        installed = new Installed(installed.sglang(), installed.megatron(), name);
        return this;
    }

    public CandidateDraft sglangVersion(String version) {
        installed = new Installed(new Version(version), installed.megatron(), installed.trainer());
        return this;
    }

    public CandidateDraft megatronVersion(String version) {
        installed = new Installed(installed.sglang(), new Version(version), installed.trainer());
        return this;
    }

    public CandidateDraft gpu(Gpu other) {
        gpu = other;
        return this;
    }

    public CandidateDraft gpusPerNode(int count) {
        gpusPerNode = count;
        return this;
    }

    public CandidateDraft trainGpus(int count) {
        trainGpus = count;
        return this;
    }

    public CandidateDraft rolloutGpus(int count) {
        rolloutGpus = count;
        return this;
    }

    /** Training and rollout on so many GPUs. */
    public CandidateDraft gpus(int count) {
        return trainGpus(count).rolloutGpus(count);
    }

    public CandidateDraft colocated(boolean shared) {
        colocated = shared;
        return this;
    }

    public CandidateDraft hostMemoryGiB(int memory) {
        hostMemoryGiB = memory;
        return this;
    }

    public CandidateDraft diskGiB(int space) {
        diskGiB = space;
        return this;
    }

    public CandidateDraft withoutRdma() {
        rdma = false;
        return this;
    }

    public CandidateDraft sharedRoots(String... directories) {
        sharedRoots = List.of(directories);
        return this;
    }

    public CandidateDraft totalGpus(int count) {
        totalGpus = count;
        return this;
    }

    /** Parallel sizes; sequence parallelism follows TP. */
    public CandidateDraft layout(int tp, int pp, int cp, int ep, int etp) {
        this.pp = pp;
        this.cp = cp;
        this.ep = ep;
        this.etp = etp;
        return tp(tp);
    }

    public CandidateDraft tp(int size) {
        tp = size;
        sequenceParallel = size > 1;
        return this;
    }

    public CandidateDraft stages(@Nullable Integer firstLayers, @Nullable Integer lastLayers) {
        first = firstLayers;
        last = lastLayers;
        return this;
    }

    public CandidateDraft tokensPerGpu(int tokens) {
        tokensPerGpu = tokens;
        return this;
    }

    public CandidateDraft sequenceParallel(boolean on) {
        sequenceParallel = on;
        return this;
    }

    public CandidateDraft recompute(Recompute other) {
        recompute = other;
        return this;
    }

    public CandidateDraft optimizer(Optimizer other) {
        optimizer = other;
        return this;
    }

    public CandidateDraft dispatcher(Dispatcher other) {
        dispatcher = other;
        return this;
    }

    public CandidateDraft deepEp() {
        deepEp = true;
        return this;
    }

    public CandidateDraft mtpTrained() {
        mtpTrained = true;
        return this;
    }

    /** A flag of Megatron. */
    public CandidateDraft megatron(String name, Object... value) {
        megatron = megatron.with(name, value);
        return this;
    }

    public CandidateDraft withoutMegatron(String name) {
        megatron = megatron.without(name);
        return this;
    }

    /** A flag of slime; the candidate is an imported script then. */
    public CandidateDraft slime(String name, Object... value) {
        slime = slime.with(name, value);
        return this;
    }

    public CandidateDraft withoutSlime(String name) {
        slime = slime.without(name);
        return this;
    }

    public CandidateDraft samples(int perPrompt) {
        samples = perPrompt;
        return this;
    }

    public CandidateDraft groups(int perStep) {
        groups = perStep;
        return this;
    }

    public CandidateDraft globalBatch(int batch) {
        globalBatch = batch;
        return this;
    }

    public CandidateDraft optimizerSteps(int steps) {
        optimizerSteps = steps;
        return this;
    }

    public CandidateDraft oversample(int extraGroups) {
        oversample = extraGroups;
        return this;
    }

    public CandidateDraft lengths(int prompt, int response, int context) {
        maxPrompt = prompt;
        maxResponse = response;
        maxContext = context;
        return this;
    }

    public CandidateDraft temperature(double other) {
        temperature = other;
        return this;
    }

    public CandidateDraft referenceModel() {
        frozenModels = 1;
        return this;
    }

    public CandidateDraft paths(String... files) {
        paths = List.of(files);
        return this;
    }

    public CandidateDraft asynchronous() {
        asynchronous = true;
        return this;
    }

    public CandidateDraft trainOnly() {
        rollout = false;
        engine = null;
        return this;
    }

    /** Changes values of the engine. */
    public CandidateDraft engine(Consumer<EngineDraft> change) {
        EngineDraft draft = new EngineDraft(Objects.requireNonNull(engine));
        change.accept(draft);
        engine = draft.build();
        return this;
    }

    /** Engines of so many GPUs with so many samples at once, DP attention over all of an engine's GPUs where latent. */
    public CandidateDraft engine(int gpus, int maxRunningRequests) {
        boolean latent = model.latent() && gpus > 1;
        engine = Candidates.engine(gpus, latent ? gpus : 1, latent, maxRunningRequests, Speculation.OFF);
        return this;
    }
}

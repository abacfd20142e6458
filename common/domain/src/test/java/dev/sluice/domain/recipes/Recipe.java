package dev.sluice.domain.recipes;

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
import dev.sluice.domain.model.ModelSpec.Attention;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.PublishedModels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A row of slime-recipes.csv: a recipe that slime publishes, with the figures of an independent memory model. */
public record Recipe(Map<String, String> row) {

    /** Every row that the reference model judged. */
    public static List<Recipe> all() {
        try (BufferedReader file = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(Recipe.class.getResourceAsStream("slime-recipes.csv")),
                StandardCharsets.UTF_8))) {
            String[] columns = file.readLine().split(",");
            return file.lines().map(line -> of(columns, cells(line))).toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Recipe of(String[] columns, String[] cells) {
        Map<String, String> row = new HashMap<>();
        for (int i = 0; i < columns.length; i++) {
            row.put(columns[i], i < cells.length ? cells[i].strip() : "");
        }
        return new Recipe(row);
    }

    /** The last column is quoted where it holds commas. */
    private static String[] cells(String line) {
        return Arrays.stream(line.split(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", -1))
                .map(cell -> cell.replace("\"", ""))
                .toArray(String[]::new);
    }

    public String text(String column) {
        return row.get(column);
    }

    public boolean has(String column) {
        return !row.get(column).isEmpty();
    }

    public int number(String column) {
        return has(column) ? (int) Double.parseDouble(row.get(column)) : 0;
    }

    public int number(String column, int otherwise) {
        return has(column) ? number(column) : otherwise;
    }

    public double decimal(String column) {
        return has(column) ? Double.parseDouble(row.get(column)) : Double.NaN;
    }

    public boolean yes(String column) {
        return number(column) == 1;
    }

    /**
     * The candidate as slime's script has it. Rows were judged at the micro-batch's own tokens. What a script leaves to
     * SGLang is as the planner fills it: pages of sparse attention, and as many samples at once and graphs as an engine
     * gets samples.
     */
    public Candidate candidate(Gpu gpu) {
        return new Candidate(
                model(),
                cluster(gpu),
                new Installed(new Version("0.5.15.post1"), new Version("0.19.1"), "slime@2026-08-21"),
                workload(),
                training(),
                number("gpus_per_engine") == 0 ? null : engine());
    }

    /** Sizes as the row says them, which an independent reader wrote down; only the family is the configuration's. */
    public ModelSpec model() {
        String name = text("model");
        boolean gated = name.startsWith("qwen3.5") || name.startsWith("qwen3-next");
        Attention attention = yes("mla")
                ? new LatentAttention(
                        number("heads"),
                        number("q_lora"),
                        number("kv_lora"),
                        number("qk_head"),
                        number("rope_head"),
                        number("v_head"))
                : new GroupedQueryAttention(
                        number("heads"),
                        number("kv_groups"),
                        number("head_dim"),
                        yes("qkv_bias"),
                        name.startsWith("minimax")
                                ? QueryKeyNorm.FULL
                                : yes("qk_norm") ? QueryKeyNorm.HEAD : QueryKeyNorm.NONE,
                        gated);
        ModelSpec published = PublishedModels.named(text("hf_checkpoint")).orElseThrow();
        return new ModelSpec(
                published.modelType(),
                published.architecture(),
                number("layers"),
                number("hidden"),
                number("vocab"),
                1 << 20,
                1e-6,
                yes("tied_embeddings"),
                false,
                1e6,
                attention,
                linear(),
                sparse() ? new Indexer(32, 128) : null,
                number("ffn"),
                experts(gated),
                1,
                null);
    }

    private @Nullable LinearAttention linear() {
        if (!has("linear_attention")) {
            return null;
        }
        int[] sizes = Arrays.stream(text("linear_attention").split("/"))
                .mapToInt(Integer::parseInt)
                .toArray();
        return new LinearAttention(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]);
    }

    private @Nullable Experts experts(boolean gated) {
        return number("experts") == 0
                ? null
                : new Experts(
                        number("experts"),
                        number("topk"),
                        number("moe_ffn"),
                        number("shared_ffn"),
                        gated && number("shared_ffn") > 0,
                        number("dense_layers"),
                        1,
                        true,
                        true,
                        1,
                        1);
    }

    private Cluster cluster(Gpu gpu) {
        return new Cluster(
                gpu,
                number("gpus_per_node"),
                number("train_gpus"),
                number("rollout_gpus"),
                yes("colocate"),
                0,
                0,
                true,
                List.of());
    }

    private Workload workload() {
        return new Workload(
                number("rollout_batch_size"),
                number("n_samples"),
                number("global_batch_size"),
                number("num_steps_per_rollout"),
                0,
                0,
                0,
                0,
                number("max_context_len", number("max_response_len")),
                has("temperature") ? decimal("temperature") : 1,
                yes("ref_model") ? 1 : 0,
                false,
                false,
                text("entry").equals("train_async.py"),
                !yes("train_only"),
                List.of(),
                Flags.NONE);
    }

    private TrainingSide training() {
        Layout layout = new Layout(
                number("tp"),
                number("pp"),
                number("cp"),
                number("ep"),
                number("etp"),
                has("first_stage_layers") ? number("first_stage_layers") : null,
                has("last_stage_layers") ? number("last_stage_layers") : null);
        Optimizer optimizer =
                yes("cpu_adam") ? Optimizer.CPU : yes("precision_aware") ? Optimizer.PRECISION_AWARE : Optimizer.GPU;
        return new TrainingSide(
                layout,
                number("max_tokens_per_gpu"),
                yes("sp"),
                text("recompute").equals("full") ? Recompute.FULL : Recompute.NONE,
                optimizer,
                text("dispatcher").equals("flex") ? Dispatcher.FLEX : Dispatcher.ALLTOALL,
                yes("megatron_deepep"),
                yes("mtp_training"),
                Flags.NONE);
    }

    private EngineSide engine() {
        Speculation speculation = has("spec_algo")
                ? new Speculation(
                        text("spec_algo"), number("spec_steps"), number("spec_topk"), number("spec_draft_tokens"), null)
                : Speculation.OFF;
        // slime's script without a fraction: the reference judged it at 0.8.
        double fraction = has("mem_fraction") ? decimal("mem_fraction") : 0.8;
        int dp = number("sgl_dp", 1);
        int samples = samplesOfAnEngine();
        int running = number("max_running_requests", speculation.on() ? samples : 0);
        return new EngineSide(
                number("gpus_per_engine"),
                1,
                dp,
                yes("dp_attention"),
                yes("dp_lm_head"),
                number("sgl_ep", 1),
                0,
                fraction,
                number("cuda_graph_max_bs", Math.ceilDiv(samples, dp)),
                running,
                8192,
                sparse() ? 64 : 1,
                number("moe_dense_tp"),
                text("a2a_backend"),
                has("deepep_mode") ? text("deepep_mode") : "auto",
                null,
                false,
                speculation,
                decimal("rollout_weight_bytes"),
                decimal("kv_dtype_bytes"),
                Flags.NONE);
    }

    private int samplesOfAnEngine() {
        int engines = number("rollout_gpus") / number("gpus_per_engine");
        return Math.ceilDiv(number("rollout_batch_size") * number("n_samples"), engines);
    }

    private boolean sparse() {
        return text("model").startsWith("glm5");
    }

    @Override
    public String toString() {
        return text("script") + "@" + text("commit");
    }
}

package dev.sluice.cpu.engine;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Prometheus text under SGLang's names, one series a data-parallel rank. Written by hand: metric libraries replace the colon in
 * the names.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/metrics/collector.py">
 *     metrics collector</a>
 */
final class MetricsText {
    private final StringBuilder text = new StringBuilder();
    private final List<Figures> ranks;
    private final String model;

    private MetricsText(List<Figures> ranks, String modelName) {
        this.ranks = ranks;
        this.model = modelName.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /**
     * The metrics of an engine.
     *
     * @param ranks figures of every rank
     */
    static String of(List<Figures> ranks, EngineOptions options, Engine.Startup startup) {
        MetricsText metrics = new MetricsText(ranks, options.servedModelName());
        metrics.load(options);
        metrics.startup(startup);
        if (options.draftSteps() > 0) {
            metrics.speculation(options.draftSteps());
        }
        metrics.totals();
        metrics.times();
        return metrics.text.toString();
    }

    private void load(EngineOptions options) {
        gauge("num_running_reqs", "Requests that run", Figures::running);
        gauge("num_queue_reqs", "Requests that wait", Figures::waiting);
        gauge("num_paused_reqs", "Requests held by a pause or a weight update", Figures::held);
        gauge("num_retracted_reqs", "Requests that wait and have run", Figures::retracted);
        gauge("num_used_tokens", "Tokens in the cache", Figures::usedTokens);
        gauge("max_total_num_tokens", "Tokens that fit the cache", Figures::capacityTokens);
        gauge("token_usage", "Share of the cache in use", Figures::tokenUsage);
        gauge("utilization", "Running requests over their limit", one -> (double) one.running() / options.rows());
        gauge("gen_throughput", "Generated tokens a second", Figures::throughput);
        gauge("cache_hit_rate", "Share of prompt tokens whose cache was shared", Figures::cacheHitRate);
        gauge("new_token_ratio", "Share of output reserved when a request starts; always all of it", one -> 1);
        gauge("is_cuda_graph", "Whether decoding is a replayed graph", one -> 0);
        gauge("eplb_balancedness", "Mean load of expert ranks over the highest; there is one", one -> 1);
    }

    private void startup(Engine.Startup startup) {
        gauge("engine_startup_time", "Seconds from start to ready", one -> startup.wholeSeconds());
        gauge("engine_load_weights_time", "Seconds of it that loaded weights", one -> startup.weightSeconds());
        header("weight_load_duration_seconds", "Duration of the last weight update", "gauge");
        each("weight_load_duration_seconds", ",source=\"disk\"", Figures::weightLoadSeconds);
    }

    private void speculation(int draftSteps) {
        gauge("spec_accept_length", "Tokens a verification", one -> or0(one.acceptLength()));
        gauge("spec_accept_rate", "Share of drafts accepted", one -> or0(one.acceptRate()));
        gauge("spec_num_steps", "Draft steps", one -> draftSteps);
        gauge("spec_num_draft_tokens", "Tokens a verification at most", one -> draftSteps + 1);
        counter("spec_verify_calls_total", "Verifications", one -> one.counts().verifications());
    }

    private void totals() {
        counter("prompt_tokens_total", "Prompt tokens", one -> one.counts().promptTokens());
        counter(
                "generation_tokens_total",
                "Generated tokens",
                one -> one.counts().generatedTokens());
        counter(
                "cached_tokens_total",
                "Prompt tokens whose cache was shared",
                one -> one.counts().cachedTokens());
        counter("num_requests_total", "Requests that ended", one -> one.ended().requests());
        counter(
                "num_aborted_requests_total",
                "Requests that were aborted",
                one -> one.ended().aborted());
        counter(
                "num_retracted_requests_total",
                "Times a request lost its cache",
                one -> one.ended().retractions());
        header("realtime_tokens_total", "Tokens by what computed them", "counter");
        each(
                "realtime_tokens_total",
                ",mode=\"prefill_compute\"",
                one -> one.counts().promptTokens() - one.counts().cachedTokens());
        each(
                "realtime_tokens_total",
                ",mode=\"prefill_cache\"",
                one -> one.counts().cachedTokens());
        each("realtime_tokens_total", ",mode=\"decode\"", one -> one.counts().generatedTokens());
    }

    private void times() {
        for (String name : ranks.getFirst().times().keySet()) {
            header(name, "Of requests that ended", "histogram");
            for (int rank = 0; rank < ranks.size(); rank++) {
                buckets(name, "", rank, ranks.get(rank).times().get(name));
            }
        }
        header("per_stage_req_latency_seconds", "Of requests that ended, by stage", "histogram");
        for (int rank = 0; rank < ranks.size(); rank++) {
            String stage = ",stage=\"prefill_waiting\"";
            buckets(
                    "per_stage_req_latency_seconds",
                    stage,
                    rank,
                    ranks.get(rank).times().get("queue_time_seconds"));
        }
    }

    private void buckets(String name, String more, int rank, Histogram.@Nullable Buckets buckets) {
        if (buckets == null) {
            return;
        }
        long below = 0;
        for (int i = 0; i < buckets.counts().size(); i++) {
            below += buckets.counts().get(i);
            String bound = i < buckets.bounds().size()
                    ? String.valueOf(buckets.bounds().get(i))
                    : "+Inf";
            sample(name + "_bucket", more + ",le=\"" + bound + "\"", rank, below);
        }
        sample(name + "_sum", more, rank, buckets.sum());
        sample(name + "_count", more, rank, below);
    }

    private void gauge(String name, String help, ToDoubleFunction<Figures> value) {
        header(name, help, "gauge");
        each(name, "", value);
    }

    private void counter(String name, String help, ToDoubleFunction<Figures> value) {
        header(name, help, "counter");
        each(name, "", value);
    }

    private void header(String name, String help, String type) {
        text.append(String.format("# HELP sglang:%1$s %2$s\n# TYPE sglang:%1$s %3$s\n", name, help, type));
    }

    private void each(String name, String moreLabels, ToDoubleFunction<Figures> value) {
        for (int rank = 0; rank < ranks.size(); rank++) {
            sample(name, moreLabels, rank, value.applyAsDouble(ranks.get(rank)));
        }
    }

    private void sample(String name, String moreLabels, int rank, double value) {
        text.append(String.format(
                Locale.ROOT,
                "sglang:%s{model_name=\"%s\",engine_type=\"unified\",tp_rank=\"0\",pp_rank=\"0\",dp_rank=\"%d\","
                        + "moe_ep_rank=\"0\"%s} %s\n",
                name,
                model,
                rank,
                moreLabels,
                value));
    }

    private static double or0(@Nullable Double value) {
        return value == null ? 0 : value;
    }
}

package dev.sluice.cpu.engine;

import java.util.Locale;

/**
 * Prometheus text under SGLang's names. Written by hand: metric libraries replace the colon in them.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/metrics/collector.py">
 *     metrics collector</a>
 */
final class MetricsText {
    private final StringBuilder text = new StringBuilder();
    private final String labels;

    private MetricsText(EngineOptions options) {
        String name = options.servedModelName()
                .replace("\\", "\\\\")
                .replace("\"", "\\\"")
                .replace("\n", "\\n");
        labels = "{model_name=\"" + name
                + "\",engine_type=\"unified\",tp_rank=\"0\",pp_rank=\"0\",dp_rank=\"0\",moe_ep_rank=\"0\"}";
    }

    static String of(Figures figures, EngineOptions options) {
        MetricsText metrics = new MetricsText(options);
        metrics.gauge("num_running_reqs", "Requests that run", figures.running());
        metrics.gauge("num_queue_reqs", "Requests that wait", figures.waiting());
        metrics.gauge("num_paused_reqs", "Requests held by a pause or a weight update", figures.held());
        metrics.gauge("num_used_tokens", "Tokens in the cache", figures.usedTokens());
        metrics.gauge("max_total_num_tokens", "Tokens that fit the cache", figures.capacityTokens());
        metrics.gauge("token_usage", "Share of the cache in use", figures.tokenUsage());
        metrics.gauge(
                "utilization", "Running requests over their limit", (double) figures.running() / options.maxRunning());
        metrics.gauge("gen_throughput", "Generated tokens a second", figures.throughput());
        metrics.gauge("cache_hit_rate", "Share of prompt tokens whose cache was shared", figures.cacheHitRate());
        metrics.gauge("is_cuda_graph", "Whether decoding is a replayed graph", 0);
        metrics.gauge(
                "weight_load_duration_seconds", "Duration of the last weight update", figures.weightLoadSeconds());
        if (figures.acceptLength() != null && figures.acceptRate() != null) {
            metrics.gauge("spec_accept_length", "Tokens a verification", figures.acceptLength());
            metrics.gauge("spec_accept_rate", "Share of drafts accepted", figures.acceptRate());
            metrics.gauge("spec_num_steps", "Draft steps", options.draftSteps());
            metrics.gauge("spec_num_draft_tokens", "Tokens a verification at most", options.draftSteps() + 1);
            metrics.counter(
                    "spec_verify_calls_total", "Verifications", figures.counts().verifications());
        }
        metrics.counter("prompt_tokens_total", "Prompt tokens", figures.counts().promptTokens());
        metrics.counter(
                "generation_tokens_total", "Generated tokens", figures.counts().generatedTokens());
        metrics.counter(
                "cached_tokens_total",
                "Prompt tokens whose cache was shared",
                figures.counts().cachedTokens());
        metrics.counter(
                "num_requests_total", "Requests that ended", figures.ended().requests());
        metrics.counter(
                "num_aborted_requests_total",
                "Requests that were aborted",
                figures.ended().aborted());
        metrics.counter(
                "num_retracted_requests_total",
                "Times a request lost its cache",
                figures.ended().retractions());
        return metrics.text.toString();
    }

    private void gauge(String name, String help, double value) {
        metric(name, help, "gauge", value);
    }

    private void counter(String name, String help, double value) {
        metric(name, help, "counter", value);
    }

    private void metric(String name, String help, String type, double value) {
        text.append(String.format(
                Locale.ROOT,
                "# HELP sglang:%1$s %2$s\n# TYPE sglang:%1$s %3$s\nsglang:%1$s%4$s %5$s\n",
                name,
                help,
                type,
                labels,
                value));
    }
}

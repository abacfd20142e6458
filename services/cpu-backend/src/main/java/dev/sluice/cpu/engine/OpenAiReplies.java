package dev.sluice.cpu.engine;

import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Replies in OpenAI's shapes, with what SGLang adds: {@code matched_stop} and the label of the weights.
 *
 * @param createdSeconds when the call came, seconds since 1970
 * @param reportsCache whether counts of cached prompt tokens are told
 */
record OpenAiReplies(OpenAiRequest request, Replies replies, long createdSeconds, boolean reportsCache) {

    /** The whole reply. */
    Map<String, @Nullable Object> whole(List<Sample> samples) {
        List<Object> choices = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            Sample sample = samples.get(i);
            Map<String, @Nullable Object> choice = new LinkedHashMap<>();
            choice.put("index", i);
            String text = text(sample);
            if (request.chat()) {
                Map<String, @Nullable Object> message = new LinkedHashMap<>();
                message.put("role", "assistant");
                message.put("content", text);
                message.put("reasoning_content", null);
                message.put("tool_calls", null);
                choice.put("message", message);
            } else {
                choice.put("text", request.echo() ? prompt(sample) + text : text);
            }
            choice.put("logprobs", request.logprobs() ? logprobs(sample, 0, request.echo()) : null);
            finish(choice, sample);
            choices.add(choice);
        }
        Map<String, @Nullable Object> reply = frame(request.chat() ? "chat.completion" : "text_completion", choices);
        reply.put("usage", usage(samples));
        reply.put("metadata", Map.of("weight_version", samples.getFirst().weightVersion()));
        return reply;
    }

    Progress begin(int index) {
        return new Progress(index);
    }

    /** The last chunk of a stream whose client asked for counts. */
    Map<String, @Nullable Object> usageChunk(List<Sample> samples) {
        Map<String, @Nullable Object> chunk = frame(chunkObject(), List.of());
        chunk.put("usage", usage(samples));
        return chunk;
    }

    /** One sample of a stream. */
    final class Progress {
        private final int index;
        private @Nullable TextDeltas deltas;
        private int sentTokens;

        private Progress(int index) {
            this.index = index;
        }

        /** What is to be sent of what the sample has now; nothing where all of it may still change. */
        List<Map<String, @Nullable Object>> chunks(Sample sample) {
            List<Map<String, @Nullable Object>> chunks = new ArrayList<>();
            Sampling.Stops stops = sample.request().sampling().stops();
            boolean begins = deltas == null;
            if (deltas == null) {
                deltas = new TextDeltas(stops.keepMatched() ? List.of() : stops.texts());
            }
            if (begins && request.chat()) {
                chunks.add(chunk(sample, Map.of("role", "assistant", "content", ""), null));
            }
            boolean ended = sample.finish() != null;
            String piece = deltas.next(text(sample), ended);
            if (begins && request.echo()) {
                piece = prompt(sample) + piece;
            }
            if (!piece.isEmpty() || ended) {
                Object logprobs = request.logprobs() ? logprobs(sample, sentTokens, begins && request.echo()) : null;
                sentTokens = sample.output().length;
                Object content = !request.chat() ? piece : piece.isEmpty() ? Map.of() : Map.of("content", piece);
                chunks.add(chunk(sample, content, logprobs));
            }
            return chunks;
        }

        private Map<String, @Nullable Object> chunk(Sample sample, Object content, @Nullable Object logprobs) {
            Map<String, @Nullable Object> choice = new LinkedHashMap<>();
            choice.put("index", index);
            choice.put(request.chat() ? "delta" : "text", content);
            choice.put("logprobs", logprobs);
            finish(choice, sample);
            return frame(chunkObject(), List.of(choice));
        }
    }

    private String chunkObject() {
        return request.chat() ? "chat.completion.chunk" : "text_completion";
    }

    private Map<String, @Nullable Object> frame(String object, List<?> choices) {
        Map<String, @Nullable Object> frame = new LinkedHashMap<>();
        frame.put("id", request.id());
        frame.put("object", object);
        frame.put("created", createdSeconds);
        frame.put("model", request.model());
        frame.put("choices", choices);
        return frame;
    }

    private static void finish(Map<String, @Nullable Object> choice, Sample sample) {
        choice.put(
                "finish_reason",
                switch (sample.finish()) {
                    case null -> null;
                    case FinishReason.Stop stop -> "stop";
                    case FinishReason.Length length -> "length";
                    case FinishReason.Abort abort -> "abort";
                });
        choice.put("matched_stop", sample.finish() instanceof FinishReason.Stop stop ? stop.matched() : null);
    }

    private Map<String, @Nullable Object> usage(List<Sample> samples) {
        int prompt = 0;
        int cached = 0;
        int output = 0;
        for (int i = 0; i < samples.size(); i++) {
            // A prompt counts once, however many samples it has.
            prompt += i % request.samplesPerPrompt() == 0
                    ? samples.get(i).request().prompt().length
                    : 0;
            cached += samples.get(i).cachedTokens();
            output += samples.get(i).output().length;
        }
        Map<String, @Nullable Object> usage = new LinkedHashMap<>();
        usage.put("prompt_tokens", prompt);
        usage.put("total_tokens", prompt + output);
        usage.put("completion_tokens", output);
        usage.put("prompt_tokens_details", reportsCache ? Map.of("cached_tokens", cached) : null);
        usage.put("reasoning_tokens", 0);
        return usage;
    }

    private String text(Sample sample) {
        String text = replies.text(sample);
        return text == null ? "" : text;
    }

    private String prompt(Sample sample) {
        return replies.decode(sample.request().prompt(), false);
    }

    /** Those of tokens from a place of the output on, in the shape of the request's API. */
    private Map<String, @Nullable Object> logprobs(Sample sample, int from, boolean promptToo) {
        List<TokenLogprob> tokens = new ArrayList<>(promptToo ? sample.promptLogprobs() : List.of());
        List<List<TokenLogprob>> tops = new ArrayList<>();
        tokens.forEach(token -> tops.add(List.of()));
        tokens.addAll(
                sample.outputLogprobs().subList(from, sample.outputLogprobs().size()));
        for (int i = from; i < sample.outputLogprobs().size(); i++) {
            tops.add(
                    sample.topLogprobs().isEmpty()
                            ? List.of()
                            : sample.topLogprobs().get(i));
        }
        return request.chat() ? chatLogprobs(tokens, tops) : completionLogprobs(tokens, tops);
    }

    private Map<String, @Nullable Object> chatLogprobs(List<TokenLogprob> tokens, List<List<TokenLogprob>> tops) {
        List<Object> content = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            Map<String, @Nullable Object> token = chatToken(tokens.get(i));
            token.put("top_logprobs", tops.get(i).stream().map(this::chatToken).toList());
            content.add(token);
        }
        Map<String, @Nullable Object> logprobs = new LinkedHashMap<>();
        logprobs.put("content", content);
        return logprobs;
    }

    private Map<String, @Nullable Object> chatToken(TokenLogprob token) {
        String text = word(token);
        Map<String, @Nullable Object> shape = new LinkedHashMap<>();
        shape.put("token", text);
        List<Integer> bytes = new ArrayList<>();
        for (byte one : text.getBytes(StandardCharsets.UTF_8)) {
            bytes.add(Byte.toUnsignedInt(one));
        }
        shape.put("bytes", bytes);
        shape.put("logprob", token.logprob());
        return shape;
    }

    private Map<String, @Nullable Object> completionLogprobs(List<TokenLogprob> tokens, List<List<TokenLogprob>> tops) {
        Map<String, @Nullable Object> logprobs = new LinkedHashMap<>();
        // SGLang does not compute offsets either.
        logprobs.put("text_offset", tokens.stream().map(token -> -1).toList());
        List<@Nullable Double> values = new ArrayList<>();
        tokens.forEach(token -> values.add(token.logprob()));
        logprobs.put("token_logprobs", values);
        logprobs.put("tokens", tokens.stream().map(this::word).toList());
        List<Map<String, @Nullable Double>> alternatives = new ArrayList<>();
        for (List<TokenLogprob> top : tops) {
            Map<String, @Nullable Double> words = new LinkedHashMap<>();
            top.forEach(token -> words.put(word(token), token.logprob()));
            alternatives.add(words);
        }
        logprobs.put("top_logprobs", alternatives);
        return logprobs;
    }

    private String word(TokenLogprob token) {
        return replies.decode(new int[] {token.tokenId()}, false);
    }
}

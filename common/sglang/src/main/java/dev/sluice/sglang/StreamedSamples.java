package dev.sluice.sglang;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The samples of one streamed call while they grow. Frames may repeat everything so far, as SGLang sends them by default, or
 * carry only what is new ({@code --incremental-streaming-output}). Thread-safe: what has come can be read at any time, also
 * after the engine has died.
 *
 * @see SglangClient#stream
 */
public final class StreamedSamples {
    private final List<Growing> samples;

    public StreamedSamples(int count) {
        this(Stream.generate(Growing::new).limit(count).toList());
    }

    private StreamedSamples(List<Growing> samples) {
        this.samples = samples;
    }

    /** One of these samples, where it is asked for by a call of its own. */
    public StreamedSamples only(int index) {
        return new StreamedSamples(samples.subList(index, index + 1));
    }

    /**
     * Tokens of neighbouring frames that name the same weights. A frame says which weights the engine held when it was sent:
     * every token of it may be older, but none is newer, and none is older than the frame before.
     *
     * @param weightVersion the frames' label
     * @param first tokens of the first of these frames that has any; they may be by the weights of the label before
     * @param tokens of all of these frames
     */
    public record Labelled(String weightVersion, int first, int tokens) {}

    /**
     * What has come of one sample.
     *
     * @param response like a whole reply; its {@code finish_reason} is null where the sample goes on
     * @param labels of its tokens, in their order; together as many
     */
    public record Sample(GenerateResponse response, List<Labelled> labels) {
        public boolean finished() {
            return response.meta().finishReason() != null;
        }
    }

    /** What has come of the sample at this place of the call; empty before its first frame. */
    public Optional<Sample> at(int index) {
        Growing sample = samples.get(index);
        synchronized (sample) {
            return Optional.ofNullable(sample.last).map(last -> sample.sofar(last));
        }
    }

    boolean finished() {
        return samples.stream().allMatch(Growing::finished);
    }

    /**
     * Takes the next frame.
     *
     * @return what is wrong with it: it is of no sample of this call, or does not fit what came before it; null if nothing is
     */
    public @Nullable String add(GenerateResponse frame) {
        int index = frame.index() == null ? 0 : frame.index();
        if (index < 0 || index >= samples.size()) {
            return "a frame is of sample %d of a call of %d".formatted(index, samples.size());
        }
        return samples.get(index).add(frame);
    }

    private static final class Growing {
        private int[] tokens = {};
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private final List<Labelled> labels = new ArrayList<>();
        private @Nullable GenerateResponse last;

        synchronized boolean finished() {
            return last != null && last.meta().finishReason() != null;
        }

        @Nullable
        synchronized String add(GenerateResponse frame) {
            int[] ids = frame.outputIds();
            int all = frame.meta().completionTokens();
            boolean repeats = ids.length == all;
            if (all < tokens.length || !repeats && ids.length != all - tokens.length) {
                return "a frame of sample %s has %d tokens and says that they are %d in all; %d had come before it"
                        .formatted(frame.meta().id(), ids.length, all, tokens.length);
            }
            int fresh = all - tokens.length;
            List<TokenLogprob> newLogprobs = frame.meta().outputTokenLogprobs();
            if (newLogprobs != null) {
                boolean whole = newLogprobs.size() == all;
                logprobs.addAll(whole ? newLogprobs.subList(Math.min(logprobs.size(), all), all) : newLogprobs);
            }
            int from = tokens.length;
            tokens = Arrays.copyOf(tokens, all);
            System.arraycopy(ids, ids.length - fresh, tokens, from, fresh);
            label(frame.meta().weightVersion(), fresh);
            last = frame;
            return null;
        }

        private void label(String version, int fresh) {
            if (!labels.isEmpty() && labels.getLast().weightVersion().equals(version)) {
                Labelled before = labels.removeLast();
                // A frame without tokens says nothing of those that come next.
                int first = before.tokens() == 0 ? fresh : before.first();
                labels.add(new Labelled(version, first, before.tokens() + fresh));
            } else {
                labels.add(new Labelled(version, fresh, fresh));
            }
        }

        private Sample sofar(GenerateResponse frame) {
            boolean asked = frame.meta().outputTokenLogprobs() != null;
            GenerateResponse whole = new GenerateResponse(
                    frame.text(),
                    tokens.clone(),
                    frame.meta().withOutputTokenLogprobs(asked ? List.copyOf(logprobs) : null),
                    frame.promptTokenIds(),
                    frame.index());
            return new Sample(whole, List.copyOf(labels));
        }
    }
}

package dev.sluice.sglang;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A changed copy of {@link SamplingParams}, for the fields that reinforcement learning uses. */
public final class SamplingParamsChange {
    private final SamplingParams base;
    private @Nullable Integer maxNewTokens;
    private @Nullable Double temperature;
    private @Nullable Double topP;
    private @Nullable Integer topK;
    private @Nullable Double minP;
    private @Nullable List<String> stop;
    private @Nullable List<Integer> stopTokenIds;
    private @Nullable List<String> stopRegex;
    private @Nullable Double frequencyPenalty;
    private @Nullable Double presencePenalty;
    private @Nullable Double repetitionPenalty;
    private @Nullable Integer minNewTokens;
    private @Nullable Map<String, Double> logitBias;
    private @Nullable Integer n;
    private @Nullable Boolean ignoreEos;
    private @Nullable Boolean skipSpecialTokens;
    private @Nullable Boolean spacesBetweenSpecialTokens;
    private @Nullable Boolean noStopTrim;
    private @Nullable Integer streamInterval;
    private @Nullable Long samplingSeed;

    SamplingParamsChange(SamplingParams base) {
        this.base = base;
        maxNewTokens = base.maxNewTokens();
        temperature = base.temperature();
        topP = base.topP();
        topK = base.topK();
        minP = base.minP();
        stop = base.stop();
        stopTokenIds = base.stopTokenIds();
        stopRegex = base.stopRegex();
        frequencyPenalty = base.frequencyPenalty();
        presencePenalty = base.presencePenalty();
        repetitionPenalty = base.repetitionPenalty();
        minNewTokens = base.minNewTokens();
        logitBias = base.logitBias();
        n = base.n();
        ignoreEos = base.ignoreEos();
        skipSpecialTokens = base.skipSpecialTokens();
        spacesBetweenSpecialTokens = base.spacesBetweenSpecialTokens();
        noStopTrim = base.noStopTrim();
        streamInterval = base.streamInterval();
        samplingSeed = base.samplingSeed();
    }

    public SamplingParamsChange maxNewTokens(int value) {
        maxNewTokens = value;
        return this;
    }

    public SamplingParamsChange temperature(double value) {
        temperature = value;
        return this;
    }

    public SamplingParamsChange topP(double value) {
        topP = value;
        return this;
    }

    public SamplingParamsChange topK(int value) {
        topK = value;
        return this;
    }

    public SamplingParamsChange minP(double value) {
        minP = value;
        return this;
    }

    public SamplingParamsChange stop(List<String> value) {
        stop = List.copyOf(value);
        return this;
    }

    public SamplingParamsChange stopRegex(List<String> value) {
        stopRegex = List.copyOf(value);
        return this;
    }

    public SamplingParamsChange stopTokenIds(List<Integer> value) {
        stopTokenIds = List.copyOf(value);
        return this;
    }

    public SamplingParamsChange frequencyPenalty(double value) {
        frequencyPenalty = value;
        return this;
    }

    public SamplingParamsChange presencePenalty(double value) {
        presencePenalty = value;
        return this;
    }

    public SamplingParamsChange repetitionPenalty(double value) {
        repetitionPenalty = value;
        return this;
    }

    public SamplingParamsChange minNewTokens(int value) {
        minNewTokens = value;
        return this;
    }

    public SamplingParamsChange logitBias(Map<String, Double> value) {
        logitBias = Map.copyOf(value);
        return this;
    }

    public SamplingParamsChange n(int value) {
        n = value;
        return this;
    }

    public SamplingParamsChange ignoreEos(boolean value) {
        ignoreEos = value;
        return this;
    }

    public SamplingParamsChange skipSpecialTokens(boolean value) {
        skipSpecialTokens = value;
        return this;
    }

    public SamplingParamsChange spacesBetweenSpecialTokens(boolean value) {
        spacesBetweenSpecialTokens = value;
        return this;
    }

    public SamplingParamsChange noStopTrim(boolean value) {
        noStopTrim = value;
        return this;
    }

    public SamplingParamsChange streamInterval(int value) {
        streamInterval = value;
        return this;
    }

    public SamplingParamsChange samplingSeed(long value) {
        samplingSeed = value;
        return this;
    }

    public SamplingParams done() {
        return new SamplingParams(
                maxNewTokens,
                temperature,
                topP,
                topK,
                minP,
                stop,
                stopTokenIds,
                stopRegex,
                frequencyPenalty,
                presencePenalty,
                repetitionPenalty,
                minNewTokens,
                n,
                base.jsonSchema(),
                base.regex(),
                base.ebnf(),
                base.structuralTag(),
                ignoreEos,
                skipSpecialTokens,
                spacesBetweenSpecialTokens,
                noStopTrim,
                base.customParams(),
                streamInterval,
                logitBias,
                samplingSeed);
    }
}

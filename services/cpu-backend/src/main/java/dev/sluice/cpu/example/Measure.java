package dev.sluice.cpu.example;

import dev.sluice.cpu.model.Model;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/** How often a model answers exactly right when sampled at temperature 1. */
final class Measure {
    private static final int TEXTS_AT_ONCE = 256;

    private final Sampler sampler;
    private final CharacterTokenizer tokenizer;

    Measure(Model model, CharacterTokenizer tokenizer, RandomGenerator random) {
        this.sampler = new Sampler(model, random);
        this.tokenizer = tokenizer;
    }

    /** Share of right answers over all samples, from 0 to 1. */
    double shareRight(List<SortingTask.Row> rows, int samplesOfEach) {
        List<SortingTask.Row> asked = new ArrayList<>();
        rows.forEach(row -> {
            for (int i = 0; i < samplesOfEach; i++) {
                asked.add(row);
            }
        });
        int right = 0;
        for (int start = 0; start < asked.size(); start += TEXTS_AT_ONCE) {
            right += right(asked.subList(start, Math.min(asked.size(), start + TEXTS_AT_ONCE)));
        }
        return (double) right / asked.size();
    }

    private int right(List<SortingTask.Row> rows) {
        List<int[]> prompts =
                rows.stream().map(row -> tokenizer.encode(row.prompt())).toList();
        int[][] ids = sampler.draw(prompts, SortingTask.DIGITS + 1).ids();
        int right = 0;
        for (int i = 0; i < ids.length; i++) {
            right += isRight(rows.get(i), ids[i]) ? 1 : 0;
        }
        return right;
    }

    /** Whether a text is the prompt, the label and an end token. */
    boolean isRight(SortingTask.Row row, int[] ids) {
        int[] expected = tokenizer.encode(row.prompt() + row.label());
        return ids[expected.length] == CharacterTokenizer.END
                && Arrays.equals(ids, 0, expected.length, expected, 0, expected.length);
    }
}

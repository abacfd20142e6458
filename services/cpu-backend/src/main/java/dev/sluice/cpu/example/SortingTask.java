package dev.sluice.cpu.example;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The example's task: {@code s314159=} is to be answered with its six digits in ascending order, {@code 113459}.
 *
 * <p>There are a million prompts, so a model cannot learn them by heart, and a program can tell right from wrong.
 */
final class SortingTask {
    static final int DIGITS = 6;

    private SortingTask() {}

    /** A prompt and its right answer; the field names are those of slime's data files. */
    record Row(String prompt, String label) {}

    /** Different prompts in random order. */
    static List<Row> rows(int count, RandomGenerator random) {
        Set<String> seen = new HashSet<>();
        List<Row> rows = new ArrayList<>();
        while (rows.size() < count) {
            Row row = row(random);
            if (seen.add(row.prompt)) {
                rows.add(row);
            }
        }
        return rows;
    }

    static Row row(RandomGenerator random) {
        String digits = digits(random);
        return new Row("s" + digits + "=", sorted(digits));
    }

    /**
     * An answer as a mixed-quality corpus has it: right with the given probability, otherwise in equal parts sorted downwards,
     * copied unsorted, or sorted with one wrong digit.
     */
    static String corpusAnswer(Row row, double right, RandomGenerator random) {
        if (random.nextDouble() < right) {
            return row.label;
        }
        return switch (random.nextInt(3)) {
            case 0 -> new StringBuilder(row.label).reverse().toString();
            case 1 -> row.prompt.substring(1, 1 + DIGITS);
            default -> {
                StringBuilder answer = new StringBuilder(row.label);
                answer.setCharAt(random.nextInt(DIGITS), (char) ('0' + random.nextInt(10)));
                yield answer.toString();
            }
        };
    }

    private static String digits(RandomGenerator random) {
        StringBuilder digits = new StringBuilder();
        for (int i = 0; i < DIGITS; i++) {
            digits.append(random.nextInt(10));
        }
        return digits.toString();
    }

    private static String sorted(String digits) {
        return digits.chars()
                .sorted()
                .collect(StringBuilder::new, (text, c) -> text.append((char) c), StringBuilder::append)
                .toString();
    }
}

package dev.sluice.cli.checkpoint;

import java.util.ArrayList;
import java.util.List;

/** Ascending whole numbers as a person writes them: {@code 0..3,5,7..9}. */
final class Ranges {
    private Ranges() {}

    static String of(List<String> ascending) {
        List<String> ranges = new ArrayList<>();
        for (int i = 0; i < ascending.size(); ) {
            int end = i;
            while (end + 1 < ascending.size()
                    && Integer.parseInt(ascending.get(end + 1)) == Integer.parseInt(ascending.get(end)) + 1) {
                end++;
            }
            String separator = end == i + 1 ? "," : "..";
            ranges.add(end == i ? ascending.get(i) : ascending.get(i) + separator + ascending.get(end));
            i = end + 1;
        }
        return String.join(",", ranges);
    }
}

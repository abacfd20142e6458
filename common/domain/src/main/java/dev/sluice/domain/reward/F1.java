package dev.sluice.domain.reward;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * SQuAD's F1 of the words of response and label, 0 to 1: lower case, without punctuation and articles; yes, no and noanswer
 * are right as a whole or wrong.
 *
 * @see <a href="https://arxiv.org/abs/1606.05250">SQuAD, section 6.1</a>
 */
public record F1() implements Reward {
    private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
    private static final Pattern ARTICLES = Pattern.compile("(?U)\\b(a|an|the)\\b");
    private static final Pattern BLANKS = Pattern.compile("(?U)\\s+");
    private static final Set<String> WHOLE = Set.of("yes", "no", "noanswer");

    @Override
    public String name() {
        return "f1";
    }

    @Override
    public RewardValue score(Response response) {
        return Labelled.score(response, label -> RewardValue.of(f1(words(response.text()), words(label))));
    }

    private static double f1(List<String> given, List<String> truth) {
        boolean whole = WHOLE.contains(String.join(" ", given)) || WHOLE.contains(String.join(" ", truth));
        if (whole && !given.equals(truth)) {
            return 0;
        }
        Map<String, Integer> left = new HashMap<>();
        truth.forEach(word -> left.merge(word, 1, Integer::sum));
        int same = 0;
        for (String word : given) {
            if (left.merge(word, -1, Integer::sum) >= 0) {
                same++;
            }
        }
        if (same == 0) {
            return 0;
        }
        double precision = (double) same / given.size();
        double recall = (double) same / truth.size();
        return 2 * precision * recall / (precision + recall);
    }

    private static List<String> words(String text) {
        String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
        return BLANKS.splitAsStream(ARTICLES.matcher(plain).replaceAll(" "))
                .filter(word -> !word.isEmpty())
                .toList();
    }
}

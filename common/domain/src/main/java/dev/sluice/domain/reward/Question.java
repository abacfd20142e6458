package dev.sluice.domain.reward;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A multiple-choice question and its answer.
 *
 * @param letters the choices' letters, upper case
 * @param right the right letter, if it is known
 * @param label the row's label without surrounding blanks
 * @param texts what says the right choice in words
 */
record Question(
        List<String> letters,
        @Nullable String right,
        @Nullable String label,
        List<String> texts) {
    private static final int DEFAULT_CHOICES = 10;
    private static final int MAX_CHOICES = 26;
    /** Possessive blanks: a long run of them must not be tried in every split. */
    private static final List<Pattern> CHOSEN = List.of(
            Pattern.compile("(?iU)(?:answer|option|choice)\\s*+(?:is|:)?\\s*+([A-Z])"),
            Pattern.compile("(?iU)([A-Z])\\s*+(?:is\\s*+(?:the)?\\s*+correct)"),
            Pattern.compile("(?iU)final\\s*+(?:answer|option)\\s*+(?:is|:)?\\s*+([A-Z])"));

    private static final Pattern ALONE = Pattern.compile("(?U)\\b([A-Z])\\b");
    private static final Pattern NOT_A_WORD = Pattern.compile("[^a-z0-9]+");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,2}");
    private static final String THOUGHT = "</think>";

    static Question of(@Nullable String givenLabel, JsonNode metadata) {
        String label = givenLabel == null ? null : givenLabel.strip();
        List<String> choices = texts(metadata.path("choices"));
        List<String> letters = letters(metadata.path("valid_letters"), choices.size());
        String right = metadata.path("correct_letter").isTextual()
                ? metadata.path("correct_letter").asText().strip().toUpperCase(Locale.ROOT)
                : "";
        if (right.isEmpty()) {
            right = label == null ? null : rightLetter(label, letters, choices);
        }
        List<String> texts = new ArrayList<>();
        int place = letters.indexOf(right);
        if (right != null && place >= 0 && place < choices.size()) {
            texts.add(choices.get(place));
        }
        Stream.of("correct_answer", "answer_text")
                .map(key -> metadata.path(key).asText())
                .forEach(texts::add);
        if (label != null && !isLetter(label, letters)) {
            texts.add(label);
        }
        return new Question(letters, right, label, texts);
    }

    private static @Nullable String rightLetter(String label, List<String> letters, List<String> choices) {
        if (isLetter(label, letters)) {
            return label.toUpperCase(Locale.ROOT);
        }
        List<String> words = choices.stream().map(Question::words).toList();
        int place = label.isEmpty() ? -1 : words.indexOf(words(label));
        if (place < 0 && NUMBER.matcher(label).matches()) {
            place = Integer.parseInt(label);
        }
        return place >= 0 && place < letters.size() ? letters.get(place) : null;
    }

    private static List<String> letters(JsonNode valid, int choices) {
        List<String> given = texts(valid).stream()
                .map(letter -> letter.toUpperCase(Locale.ROOT))
                .toList();
        int count = choices == 0 ? DEFAULT_CHOICES : Math.min(choices, MAX_CHOICES);
        return given.isEmpty()
                ? IntStream.range(0, count)
                        .mapToObj(i -> String.valueOf((char) ('A' + i)))
                        .toList()
                : given;
    }

    private static List<String> texts(JsonNode list) {
        return list.isContainerNode()
                ? StreamSupport.stream(list.spliterator(), false)
                        .map(JsonNode::asText)
                        .toList()
                : List.of();
    }

    private static boolean isLetter(String label, List<String> letters) {
        return label.length() == 1 && letters.contains(label.toUpperCase(Locale.ROOT));
    }

    boolean isAnsweredBy(String response) {
        String solution = response.substring(Math.max(0, response.lastIndexOf(THOUGHT)));
        solution = solution.startsWith(THOUGHT) ? solution.substring(THOUGHT.length()) : solution;
        Optional<String> chosen = chosen(solution);
        if (chosen.isPresent() && right != null) {
            return chosen.get().equals(right);
        }
        String said = " " + words(solution) + " ";
        boolean inWords = texts.stream()
                .map(Question::words)
                .anyMatch(text -> !text.isEmpty() && said.contains(" " + text + " "));
        return inWords || chosen.isPresent() && label != null && chosen.get().equals(label.toUpperCase(Locale.ROOT));
    }

    private Optional<String> chosen(String solution) {
        for (Pattern pattern : CHOSEN) {
            Matcher match = pattern.matcher(solution);
            if (match.find() && letters.contains(match.group(1).toUpperCase(Locale.ROOT))) {
                return Optional.of(match.group(1).toUpperCase(Locale.ROOT));
            }
        }
        String last = null;
        Matcher alone = ALONE.matcher(solution);
        while (alone.find()) {
            last = letters.contains(alone.group(1)) ? alone.group(1) : last;
        }
        return Optional.ofNullable(last);
    }

    private static String words(String text) {
        return NOT_A_WORD.matcher(text.toLowerCase(Locale.ROOT)).replaceAll(" ").strip();
    }
}

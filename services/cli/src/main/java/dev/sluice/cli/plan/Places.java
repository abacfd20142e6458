package dev.sluice.cli.plan;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.sluice.domain.shell.Place;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Where a document's values stand, by dotted path, such as {@code evaluation[0].name}.
 *
 * @param byPath lines are counted from 1
 */
public record Places(Map<String, Place> byPath) {
    static final Places NONE = new Places(Map.of());

    /** Of a YAML or JSON file. An unreadable one has none; whoever reads it for its content says so. */
    static Places of(Path file) {
        Map<String, Place> places = new HashMap<>();
        try (JsonParser parser = new YAMLFactory().createParser(file.toFile())) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token != JsonToken.END_OBJECT && token != JsonToken.END_ARRAY) {
                    String pointer = parser.getParsingContext().pathAsPointer().toString();
                    int line = parser.currentTokenLocation().getLineNr();
                    places.putIfAbsent(dotted(pointer), new Place(file.toString(), line));
                }
            }
        } catch (IOException e) {
            return NONE;
        }
        places.remove("");
        return new Places(places);
    }

    private static String dotted(String pointer) {
        return pointer.replaceAll("/(\\d+)(?=/|$)", "[$1]").replace('/', '.').replaceFirst("^\\.", "");
    }

    /** Where the value stands, or what it lies in; empty where neither is written. */
    Optional<Place> of(String path) {
        String known = path;
        while (!known.isEmpty()) {
            Place place = byPath.get(known);
            if (place != null) {
                return Optional.of(place);
            }
            int end = Math.max(known.lastIndexOf('.'), known.lastIndexOf('['));
            known = end < 0 ? "" : known.substring(0, end);
        }
        return Optional.empty();
    }

    /** {@code file:line}, or nothing. */
    String text(String path) {
        return of(path).map(place -> place.file() + ":" + place.line()).orElse("");
    }
}

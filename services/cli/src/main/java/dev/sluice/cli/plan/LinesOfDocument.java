package dev.sluice.cli.plan;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Lines of a YAML or JSON file by the dotted path of what stands there, such as {@code evaluation[0].name}.
 *
 * @param byPath counted from 1
 */
record LinesOfDocument(Map<String, Integer> byPath) {
    static final LinesOfDocument NONE = new LinesOfDocument(Map.of());

    /** An unreadable file has no lines; whoever reads it for its content says so. */
    static LinesOfDocument of(Path file) {
        Map<String, Integer> lines = new HashMap<>();
        try (JsonParser parser = new YAMLFactory().createParser(file.toFile())) {
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token != JsonToken.END_OBJECT && token != JsonToken.END_ARRAY) {
                    String pointer = parser.getParsingContext().pathAsPointer().toString();
                    lines.putIfAbsent(
                            dotted(pointer), parser.currentTokenLocation().getLineNr());
                }
            }
        } catch (IOException e) {
            return NONE;
        }
        return new LinesOfDocument(lines);
    }

    private static String dotted(String pointer) {
        return pointer.replaceAll("/(\\d+)(?=/|$)", "[$1]").replace('/', '.').replaceFirst("^\\.", "");
    }

    /** {@code file:line}, or the file alone where the path, or what it lies in, is not written there. */
    String place(Path file, String path) {
        String known = path;
        while (!known.isEmpty()) {
            Integer line = byPath.get(known);
            if (line != null) {
                return file + ":" + line;
            }
            int end = Math.max(known.lastIndexOf('.'), known.lastIndexOf('['));
            known = end < 0 ? "" : known.substring(0, end);
        }
        return file.toString();
    }

    /** The line of a path or of what it lies in; 0 where neither is written. */
    int line(String path) {
        String place = place(Path.of(""), path);
        int colon = place.lastIndexOf(':');
        return colon < 0 ? 0 : Integer.parseInt(place.substring(colon + 1));
    }
}

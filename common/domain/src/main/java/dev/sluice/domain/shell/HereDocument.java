package dev.sluice.domain.shell;

import java.util.List;

/** The lines after a command that it reads as its input. */
final class HereDocument {
    private final String end;
    private final boolean literal;
    private final boolean indented;
    private final Place place;
    private String body = "";
    private int firstLine;

    /**
     * A document that is yet to be read.
     *
     * @param end the line that ends it
     * @param literal nothing in it is expanded
     * @param indented leading tabs do not count
     */
    HereDocument(String end, boolean literal, boolean indented, Place place) {
        this.end = end;
        this.literal = literal;
        this.indented = indented;
        this.place = place;
    }

    /** Takes the document's lines; the cursor stands at the start of the first. */
    void read(Cursor cursor) {
        firstLine = cursor.line();
        StringBuilder lines = new StringBuilder();
        while (!cursor.end()) {
            String line = cursor.restOfLine();
            String shown = indented ? line.replaceFirst("^\t+", "") : line;
            if (shown.equals(end)) {
                body = lines.toString();
                return;
            }
            lines.append(shown).append('\n');
        }
        throw new Unreadable(
                place, "the here-document has no line that says " + end, "end it with " + end + " alone on a line");
    }

    /** What the command reads. */
    Word word() {
        Place first = new Place(place.file(), firstLine);
        return literal
                ? new Word(List.of(new Word.Part.Literal(body, true)), first)
                : new WordReader(new Cursor(place.file(), body, firstLine)).document();
    }
}

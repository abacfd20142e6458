package dev.sluice.domain.training;

/**
 * What decides which prompt stands at a cursor and which tokens it becomes. A cut keeps its hash; a run is not resumed with
 * another one, because the same cursor would then mean another prompt.
 *
 * @param promptsSha256 hash of the prompt file
 * @param rows usable rows in it
 * @param tokenizerSha256 hash of the model's tokenizer file
 * @param template hash of the chat template, or empty where none is applied
 */
public record DataIdentity(
        String promptsSha256, int rows, boolean shuffle, long seed, String tokenizerSha256, String template) {

    /** SHA-256, hexadecimal. */
    public String sha256() {
        return new Digest()
                .add("prompts", promptsSha256)
                .add("rows", Integer.toString(rows))
                .add("shuffle", Boolean.toString(shuffle))
                .add("seed", Long.toString(seed))
                .add("tokenizer", tokenizerSha256)
                .add("template", template)
                .hex();
    }
}

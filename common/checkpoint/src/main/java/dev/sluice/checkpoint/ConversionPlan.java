package dev.sluice.checkpoint;

import java.util.List;

/**
 * What a conversion would do, found out without writing.
 *
 * @param tensors Hugging Face tensors that would be written
 * @param files all files, those beside the weights and the manifest included
 * @param bytes size of the whole output but its manifest
 * @param bytesKept what an interrupted attempt has written already
 * @param unfinished attempts at the same target from another source or with other settings; this conversion does not go on with them, and removes
 *     them when it is done
 * @param bytesFree what the target's file system has left
 * @param carriedOver tensors that would come from the source because the trained checkpoint lacks them, sorted
 * @param missing tensors that the configuration calls for and nobody has, sorted; a conversion is refused unless this is empty
 */
public record ConversionPlan(
        int tensors,
        int files,
        long bytes,
        long bytesKept,
        List<UnfinishedConversion> unfinished,
        long bytesFree,
        List<String> carriedOver,
        List<String> missing) {
    public ConversionPlan {
        unfinished = List.copyOf(unfinished);
        carriedOver = List.copyOf(carriedOver);
        missing = List.copyOf(missing);
    }

    /** Bytes that are still to be written. */
    public long bytesToWrite() {
        return bytes - bytesKept;
    }

    /** Whether the disk can hold what is still to be written. */
    public boolean fits() {
        return bytesToWrite() <= bytesFree;
    }

    static ConversionPlan of(PreparedConversion prepared, int tensors, List<String> carriedOver, List<String> missing) {
        OutputLayout layout = prepared.layout();
        return new ConversionPlan(
                tensors,
                layout.files().size() + layout.smallFiles().size() + 1,
                layout.bytes(),
                prepared.bytesKept(),
                prepared.unfinished(),
                DiskSpace.free(prepared.target()),
                carriedOver,
                missing);
    }
}

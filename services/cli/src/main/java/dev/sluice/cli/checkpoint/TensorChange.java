package dev.sluice.cli.checkpoint;

/**
 * By how much a tensor differs from A to B, over elements that are finite in both.
 *
 * @param elements of the tensor
 * @param changed elements that have another value
 * @param maxAbs largest absolute difference
 * @param meanAbs mean absolute difference over all elements
 * @param relative L2 norm of the difference over that of A; infinite if A is zero and B is not
 * @param notFinite elements that are infinite or no number in A or B, and not the same in both
 * @param remark other types or padded rows; may be empty
 */
record TensorChange(
        String name,
        long elements,
        long changed,
        double maxAbs,
        double meanAbs,
        double relative,
        long notFinite,
        String remark) {
    static TensorChange none(String name, long elements, String remark) {
        return new TensorChange(name, elements, 0, 0, 0, 0, 0, remark);
    }

    boolean any() {
        return changed > 0;
    }

    /** From 0 to 1. */
    double share() {
        return elements == 0 ? 0 : (double) changed / elements;
    }
}

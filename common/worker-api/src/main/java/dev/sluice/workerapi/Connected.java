package dev.sluice.workerapi;

/**
 * What {@code /weights/connect} did.
 *
 * @param groupName the group that has formed
 * @param seconds until all members were there
 */
public record Connected(String groupName, double seconds) {}

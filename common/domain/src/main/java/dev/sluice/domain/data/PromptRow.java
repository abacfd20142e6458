package dev.sluice.domain.data;

/**
 * One usable line of a prompt file.
 *
 * @param line its number in the file, from 1
 * @param label what the reward compares a response with
 */
public record PromptRow(int line, Prompt prompt, String label) {}

@org.jspecify.annotations.NullMarked
package dev.sluice.cpu.model;

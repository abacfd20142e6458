package dev.sluice.cli.doctor;

import java.util.List;

/** Looks at one side of a node. It changes nothing there but files of its own, which it removes. */
interface Check {
    /** What it is busy with, for the person who waits. */
    String doing();

    List<Finding> look(Node node);
}

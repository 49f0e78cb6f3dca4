"""What the doctor looks at, a module for each part of the machine. Each check gives findings and raises nothing."""

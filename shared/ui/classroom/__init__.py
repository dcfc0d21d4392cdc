"""A class in the browser: the door, what students see of it on every page, the teacher's desk, the wall."""

-- In which order a class's works came, whatever the clock did meanwhile.
ALTER TABLE class_works ADD COLUMN number BIGINT NOT NULL DEFAULT 0;

-- Small inputs are kept beside the answers that they are of, so that one write to disk keeps both. A large one has no bytes here and is a file.
ALTER TABLE inputs ADD COLUMN bytes BLOB;

"""Pictures of molecules: the bonds and letters of a skeletal structure, found without a network, and the SMILES that they make."""
